use super::{Shared, windows::invalid};
use crate::topology::Topology;
use axum::{
    Json,
    extract::{Query, State},
};
use footfall_service::http::Problem;
use futures_util::future::join_all;

/// `GET /v1/topology`: of all processes, or with `local=true` of this one only.
pub(super) async fn show(
    State(shared): State<Shared>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<Topology>, Problem> {
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    match parameters[..] {
        [] | [("local", "false")] => Ok(Json(of_all(&shared).await)),
        [("local", "true")] => Ok(Json(of_this(&shared))),
        _ => Err(invalid("expected no parameter but `local=true`")),
    }
}

fn of_this(shared: &Shared) -> Topology {
    let topology = shared.local.topology();
    match shared.peers.own() {
        Some(address) => topology.at(address),
        None => topology,
    }
}

async fn of_all(shared: &Shared) -> Topology {
    let mut topology = of_this(shared);
    let mut others = shared.local.places.addresses();
    others.retain(|address| !shared.peers.is_own(address));
    let asked = others.iter().map(|address| {
        let peers = &shared.peers;
        peers.get::<Topology>(address, "/v1/topology?local=true")
    });
    for (address, told) in others.iter().zip(join_all(asked).await) {
        match told {
            Ok(other) => topology.add(other),
            Err(error) => {
                tracing::debug!(%address, "asking another process: {error:#}");
                topology.missing_instances.push(address.to_string());
            }
        }
    }
    topology.complete(&*shared.local.places);
    topology
}
