//! `cargo xtask demo`, as a person starts it, uses it, and stops it.

use footfall_tests::{
    browser::Browser, client, kafka::Kafka, port, program, program::Program, wait,
};
use nix::sys::signal::Signal;
use std::{fs, net::TcpListener, process::Command};
use thirtyfour::By;

/// The demo, and where its parts listen.
struct Demo {
    program: Program,
    gateway: String,
    aggregation: String,
    site: String,
}

impl Demo {
    fn start(flags: &[&str]) -> Self {
        let [gateway, aggregation, site] = [(); 3].map(|()| port::free_address());
        let own = [
            "demo",
            "--gateway",
            &gateway,
            "--aggregation",
            &aggregation,
            "--site",
            &site,
        ];
        let mut command = Command::new(program::path("xtask"));
        command.args(own).args(flags);
        let program = Program::start_command("xtask demo", command);
        Self {
            program,
            gateway,
            aggregation,
            site,
        }
    }

    async fn until_running(&mut self) {
        let line = format!("http://{}/dashboard/", self.site);
        wait::until_within(wait::LIMIT * 10, "the demo to be ready", async || {
            assert!(self.program.is_running(), "{}", self.program.stderr());
            let said = self.program.stderr();
            if said.contains(&line) {
                Ok(())
            } else {
                Err(said)
            }
        })
        .await;
    }

    /// The processes that were started for it: their command lines name its addresses.
    fn processes(&self) -> Vec<(i32, String)> {
        let own = self.program.pid().as_raw();
        let all = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            Some((pid, String::from_utf8_lossy(&line).replace('\0', " ")))
        });
        let addresses = [&self.gateway, &self.aggregation, &self.site];
        let is_ours = |line: &str| addresses.iter().any(|address| line.contains(*address));
        all.filter(|(pid, line)| *pid != own && is_ours(line))
            .collect()
    }

    /// Kafka is the one process whose command line does not name an address.
    fn broker(&self) -> String {
        let said = self.program.stderr();
        let line = said
            .lines()
            .find_map(|line| line.trim().strip_prefix("kafka "))
            .unwrap();
        line.trim().split(' ').next().unwrap().to_owned()
    }

    async fn assert_nothing_is_left(&self, broker: &str) {
        wait::until("the demo's processes to be gone", async || {
            let left = self.processes();
            if left.is_empty() {
                Ok(())
            } else {
                Err(format!("{left:?}"))
            }
        })
        .await;
        for address in [&self.gateway, &self.aggregation, &self.site, broker] {
            TcpListener::bind(address)
                .unwrap_or_else(|error| panic!("{address} is still held: {error}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn started_used_and_stopped_it_leaves_no_process_behind() {
    let mut demo = Demo::start(&[]);
    demo.until_running().await;
    assert_eq!(demo.processes().len(), 3, "{:?}", demo.processes());
    let broker = demo.broker();

    let browser = Browser::start().await;
    let page = &browser.driver;
    page.goto(format!("http://{}/dashboard/", demo.site))
        .await
        .unwrap();
    let dashboard = page.window().await.unwrap();
    let shop = page.new_tab().await.unwrap();
    page.switch_to_window(shop).await.unwrap();
    page.goto(format!("http://{}/products/gull-delta", demo.site))
        .await
        .unwrap();
    page.find(By::Css("[data-basket-add] button"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    page.switch_to_window(dashboard).await.unwrap();
    wait::until("page and click to be on the dashboard", async || {
        let text = page
            .find(By::Css("main"))
            .await
            .map_err(|error| error.to_string())?;
        let text = text.text().await.map_err(|error| error.to_string())?;
        let shown = text.contains("/products/gull-delta") && text.contains("Add to basket");
        if shown { Ok(()) } else { Err(text) }
    })
    .await;
    let windows = format!("http://{}/v1/streams/top-pages/windows", demo.aggregation);
    client::until_answers(&windows, "/products/gull-delta").await;
    drop(browser);

    demo.program.signal(Signal::SIGINT);
    assert_eq!(
        demo.program.exit().await.code(),
        Some(0),
        "{}",
        demo.program.stderr()
    );
    demo.assert_nothing_is_left(&broker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_ones_own_kafka_it_makes_its_topics_there() {
    let kafka = Kafka::start().await;
    let mut demo = Demo::start(&["--brokers", &kafka.brokers]);
    demo.until_running().await;
    assert_eq!(kafka.read("footfall.events.v1").await.unwrap(), []);
    let streams = format!("http://{}/v1/streams", demo.aggregation);
    let streams = client::until_answers(&streams, "top-pages").await.json();
    for stream in streams["streams"].as_array().unwrap() {
        let output = stream["to"].as_str().unwrap();
        assert_eq!(kafka.read(output).await.unwrap(), [], "{output}");
    }
    demo.program.signal(Signal::SIGTERM);
    assert_eq!(
        demo.program.exit().await.code(),
        Some(0),
        "{}",
        demo.program.stderr()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_one_clear_line_and_a_failure() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = Command::new(program::path("xtask"));
    command.args(["demo", "--gateway", &address]);
    let mut demo = Program::start_command("xtask demo", command);
    assert_eq!(demo.exit().await.code(), Some(1));
    let said = demo.stderr();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains(&address) && said.contains("--gateway"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_answer_is_one_clear_line_and_a_failure() {
    let nobody = port::free_address();
    let mut demo = Demo::start(&["--brokers", &nobody]);
    assert_eq!(demo.program.exit().await.code(), Some(1));
    let said = demo.program.stderr();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&nobody), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_dies_stops_the_rest_and_is_named() {
    let mut demo = Demo::start(&[]);
    demo.until_running().await;
    let broker = demo.broker();
    let (gateway, _) = demo
        .processes()
        .into_iter()
        .find(|(_, line)| line.contains("footfall-gateway"))
        .unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(gateway), Signal::SIGKILL).unwrap();
    assert_eq!(demo.program.exit().await.code(), Some(1));
    let said = demo.program.stderr();
    assert!(
        said.lines().last().unwrap().contains("gateway ended"),
        "{said}"
    );
    demo.assert_nothing_is_left(&broker).await;
}
