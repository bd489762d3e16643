//! The servers under test: the gateway's own binary, nginx and HAProxy, each with one worker on core 0.
//!
//! Each checks a caller's key, keeps answers in memory (nginx: in files on a memory file system) and adds a header
//! that says whether it had one. HAProxy keeps nothing that carries `Authorization`, so the peers take their key from
//! another header.

use easemob_gateway::caller::key;
use easemob_gateway::clock::Instant;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server of one kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gateway,
    Nginx,
    HaProxy,
}

/// A server that runs, until this is dropped.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    /// Where the vendor reports to it.
    pub(crate) callbacks: SocketAddr,
    /// How a caller shows its key.
    pub(crate) header: String,
    process: Child,
}

impl Kind {
    pub(crate) const ALL: &[Self] = &[Self::Gateway, Self::Nginx, Self::HaProxy];
}

impl Server {
    /// Starts one on core 0. `None` when it is not installed.
    pub(crate) fn start(kind: Kind, origin: SocketAddr, work: &Path) -> Option<Self> {
        Self::on(kind, 1, origin, work)
    }

    /// The same on so many cores, from core 0 on; of all kinds only the gateway has a worker on each.
    pub(crate) fn on(kind: Kind, cores: usize, origin: SocketAddr, work: &Path) -> Option<Self> {
        let (address, callbacks) = (free(), free());
        let (name, header, command) = match kind {
            Kind::Gateway => gateway(origin, (address, callbacks), cores, work),
            Kind::Nginx => nginx(origin, address, work),
            Kind::HaProxy => haproxy(origin, address, work),
        };
        let log = std::fs::File::create(work.join(format!("{name}.log"))).unwrap();
        let started = Command::new("taskset")
            .args(["-c", &format!("0-{}", cores - 1)])
            .args(&command)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let process = started.expect("taskset, from util-linux");
        let mut server = Self { name, address, callbacks, header, process };
        if let Err(why) = server.answers() {
            eprintln!("{name} is left out: {why}");
            return None;
        }
        Some(server)
    }

    /// Waits until it takes connections.
    fn answers(&mut self) -> io::Result<()> {
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.process.try_wait()? {
                return Err(io::Error::other(format!("it ended: {status}")));
            }
            if Instant::now() > until {
                return Err(io::Error::other("it does not listen"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The process and its children.
    fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.process.id()];
        let mut at = 0;
        while at < all.len() {
            let tasks = std::fs::read_dir(format!("/proc/{}/task", all[at])).into_iter().flatten().flatten();
            for task in tasks {
                let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
                all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            }
            at += 1;
        }
        all
    }

    /// CPU time of all its threads so far, as the scheduler counts it.
    pub(crate) fn cpu(&self) -> Duration {
        let of_task = |task: PathBuf| -> Option<u64> {
            let text = std::fs::read_to_string(task.join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse().ok()
        };
        let tasks = self.processes().into_iter().filter_map(|id| {
            let tasks = std::fs::read_dir(format!("/proc/{id}/task")).ok()?;
            Some(tasks.flatten().filter_map(|task| of_task(task.path())).sum::<u64>())
        });
        Duration::from_nanos(tasks.sum())
    }

    /// Resident memory of all its processes, in KB.
    pub(crate) fn memory_kb(&self) -> f64 {
        let of = |id: u32| -> Option<f64> {
            let text = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
            let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        self.processes().into_iter().filter_map(of).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Without children first, nginx would leave its worker behind.
        for id in self.processes().into_iter().rev() {
            let _ = Command::new("kill").arg(id.to_string()).status();
        }
        let _ = self.process.wait();
    }
}

/// An address on which nobody listens.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

type Started = (&'static str, String, Vec<String>);

fn file(work: &Path, name: &str, text: &str) -> String {
    let path = work.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn gateway(
    origin: SocketAddr,
    (address, callbacks): (SocketAddr, SocketAddr),
    workers: usize,
    work: &Path,
) -> Started {
    let key = key::with_check("egk_this-key-opens-nothing-but-a-benchmark-of-g");
    assert!(key::well_formed(key.as_bytes()));
    let text = format!(
        r#"
        [vendor]
        origin = "http://{origin}"
        org = "o"
        app = "a"
        client_id = "bench"
        client_secret = "of-no-use"
        [listen]
        address = "{address}"
        workers = {workers}
        [admin]
        address = "{}"
        [callbacks]
        address = "{callbacks}"
        secret = "of-no-use"
        [cache]
        bytes_max = "2GiB"
        [endpoints."group.read"]
        rate = "4000000/s"
        fresh = "1h"
        [pools."default"]
        rate = "4000000/s"
        [[callers]]
        name = "bench"
        keys = ["{}"]
        allow = ["group.*", "other"]
        "#,
        free(),
        key::digest_text(key.as_bytes())
    );
    let config = file(work, &format!("gateway-{workers}.toml"), &text);
    let command = [env!("CARGO_BIN_EXE_easemob-gateway"), "serve", "--config", &config];
    ("gateway", format!("Authorization: Bearer {key}"), command.map(str::to_owned).to_vec())
}

fn nginx(origin: SocketAddr, address: SocketAddr, work: &Path) -> Started {
    let cache = work.join(format!("cache-{}", address.port()));
    let (cache, work_dir) = (cache.display(), work.display());
    // As root its worker would be another user, who may not write here.
    let root = std::fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0);
    let user = if root { "user root;" } else { "" };
    let text = format!(
        r#"
        {user}
        worker_processes 1;
        daemon off;
        pid {work_dir}/nginx.pid;
        error_log {work_dir}/nginx.err warn;
        worker_rlimit_nofile 20000;
        events {{ worker_connections 15000; multi_accept on; }}
        http {{
          access_log off;
          # For bodies of 1 KiB less work than the other way.
          sendfile off;
          tcp_nodelay on;
          keepalive_timeout 300s;
          keepalive_requests 1000000000;
          default_type application/json;
          client_body_temp_path {work_dir}/b; proxy_temp_path {work_dir}/p; fastcgi_temp_path {work_dir}/f;
          uwsgi_temp_path {work_dir}/u; scgi_temp_path {work_dir}/s;
          proxy_cache_path {cache} levels=1:2 keys_zone=c:64m max_size=2g inactive=1h use_temp_path=off;
          open_file_cache max=12000 inactive=300s;
          open_file_cache_valid 300s;
          upstream o {{ server {origin}; keepalive 256; keepalive_requests 1000000000; }}
          map $http_x_api_key $caller {{ default ""; "bench-key-7" "seven"; "bench-key-8" "eight"; }}
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          server {{
            listen {address} backlog=4096;
            if ($caller = "") {{ return 401; }}
            location /o/a/passed/ {{ proxy_pass http://o; add_header X-Cache BYPASS; }}
            location / {{
              proxy_pass http://o; proxy_cache c; proxy_cache_key $request_uri; proxy_cache_lock on;
              add_header X-Cache $upstream_cache_status;
            }}
          }}
        }}
        "#
    );
    let config = file(work, "nginx.conf", &text);
    let command =
        ["nginx", "-e", &work.join("nginx.err").display().to_string(), "-c", &config].map(str::to_owned);
    ("nginx", "X-Api-Key: bench-key-7".to_owned(), command.to_vec())
}

fn haproxy(origin: SocketAddr, address: SocketAddr, work: &Path) -> Started {
    let text = format!(
        "
global
  nbthread 1
  maxconn 9900
  no numa-cpu-mapping
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 30s
  timeout http-keep-alive 300s
  option http-keep-alive
  http-reuse always
cache c
  total-max-size 400
  max-object-size 16000
  max-age 3600
frontend f
  bind {address} backlog 4096
  acl passed path_beg /o/a/passed/
  acl key req.hdr(x-api-key) -m str bench-key-7 bench-key-8
  http-request deny deny_status 401 if !key
  http-request cache-use c if !passed
  http-response cache-store c
  default_backend b
backend b
  server o {origin} pool-max-conn -1
"
    );
    let config = file(work, "haproxy.cfg", &text);
    let command = ["haproxy", "-db", "-f", &config].map(str::to_owned);
    ("haproxy", "X-Api-Key: bench-key-7".to_owned(), command.to_vec())
}
