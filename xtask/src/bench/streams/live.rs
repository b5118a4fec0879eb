//! What is seen of results while records come.

use super::{Bench, LATENCY, PAUSE, contender::Job, said};
use anyhow::Context as _;
use std::{thread::sleep, time::Duration};

/// How long nothing changes, so that results come steadily.
const BETWEEN_CHANGES: Duration = Duration::from_secs(5);

impl Bench {
    /// How old results are when they can be read.
    pub(super) fn latency(&mut self, run: u32) -> anyhow::Result<()> {
        let job = self.own_job(run, "paced");
        let _life = self.begin(&job)?;
        let said = self.ask(&["pace", &self.brokers, "paced", &job.to(), "50000", "15"])?;
        let p99 = said
            .split(' ')
            .nth(1)
            .and_then(|number| number.parse().ok());
        self.add(LATENCY, "ms", p99.context("expected P50 P99 MAX")?);
        Ok(())
    }

    /// Two processes share the work; a third one comes, and goes again.
    pub(super) fn pause(&mut self, run: u32) -> anyhow::Result<()> {
        let job = |instance| Job {
            instance,
            ..self.own_job(run, "moving")
        };
        let _first = self.begin(&job("first"))?;
        let _second = self.begin(&job("second"))?;
        let to = job("first").to();
        let question = ["gaps", &self.brokers, "moving", &to, "2000", "20"];
        let helper = self.begin_to_ask(&question)?;
        sleep(BETWEEN_CHANGES);
        let third = self.begin(&job("third"))?;
        sleep(BETWEEN_CHANGES);
        drop(third);
        let gaps = said(helper, &question)?;
        // The third has one of four; the others stay where they are.
        let stays = gaps.split(' ').nth(2).and_then(|gap| gap.parse().ok());
        self.add(PAUSE, "ms", stays.context("expected four gaps")?);
        Ok(())
    }
}
