use super::*;

fn plan<'a>(binary: &'a Path, directory: &'a Path) -> Plan<'a> {
    Plan {
        binary,
        directory,
        node: "up",
        node_token: "quote\"and\\backslash",
        control: ([127, 0, 0, 1], 18000).into(),
        concurrency: Some(1),
    }
}

/// A program that stands in for Envoy.
fn script(directory: &Path, body: &str) -> PathBuf {
    let path = directory.join("envoy");
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o700).open(&path).unwrap();
    std::io::Write::write_all(&mut file, format!("#!/bin/sh\n{body}\n").as_bytes()).unwrap();
    path
}

#[test]
fn every_placeholder_is_filled_in() {
    let text = plan(Path::new("envoy"), Path::new(".")).bootstrap();
    assert!(!text.contains("${"), "{text}");
    let yaml: serde_json::Value = serde_yaml_ng::from_str(&text).unwrap();
    let grpc = &yaml["dynamic_resources"]["ads_config"]["grpc_services"][0];
    assert_eq!(grpc["initial_metadata"][0]["value"], "Bearer quote\"and\\backslash");
    assert_eq!(yaml["admin"]["address"]["socket_address"]["port_value"], 0);
    let endpoint =
        &yaml["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
    assert_eq!(endpoint["endpoint"]["address"]["socket_address"]["port_value"], 18000);
}

/// A worker that is busy for a while must not take its own connection for dead: the usage records on it would be lost.
#[test]
fn the_control_planes_connection_outlives_a_busy_worker() {
    for text in [BOOTSTRAP, include_str!("../../../../envoy/guest.yaml")] {
        let (_, control) = text.split_once("- name: sluice-control").unwrap();
        assert!(control.contains("connection_keepalive: {interval: 30s, timeout: 60s}"), "{control}");
    }
}

#[tokio::test]
async fn its_end_is_told_with_its_last_words() {
    let directory = tempfile::tempdir().unwrap();
    let binary = script(directory.path(), "echo 'cannot bind' >&2; exit 3");
    let mut envoy = Envoy::start(&plan(&binary, directory.path())).unwrap();
    let why = envoy.ended().await.to_string();
    assert!(why.contains("exit status: 3") && why.contains("cannot bind"), "{why}");
    assert!(envoy.has_ended().is_err());
}

#[tokio::test]
async fn it_is_asked_to_end_before_it_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    // The address file says that the trap is set.
    let body = "trap 'echo asked; exit 0' TERM\necho 127.0.0.1:1 >\"$4\"\nwhile :; do sleep 0.01; done";
    let binary = script(directory.path(), body);
    let envoy = Envoy::start(&plan(&binary, directory.path())).unwrap();
    while envoy.admin_address().is_none() {
        tokio::task::yield_now().await;
    }
    let log = envoy.log().to_owned();
    envoy.stop().await.unwrap();
    assert_eq!(std::fs::read_to_string(log).unwrap(), "asked\n");
}

#[tokio::test]
async fn one_that_has_ended_can_be_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let binary = script(directory.path(), "exit 0");
    let mut envoy = Envoy::start(&plan(&binary, directory.path())).unwrap();
    envoy.ended().await;
    envoy.stop().await.unwrap();
}

#[test]
fn a_binary_that_is_missing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let error =
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            Envoy::start(&plan(Path::new("/nowhere/envoy"), directory.path())).unwrap_err()
        });
    assert!(format!("{error:#}").contains("/nowhere/envoy"));
}
