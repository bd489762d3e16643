//! The simulator behind a real socket.

use easemob_gateway::simulator::{Fault, Matcher, Settings, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap_or_default();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn it_serves_drops_and_stops() {
    let simulator = Simulator::new(Settings::default());
    let control = simulator.control();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let client = async {
        let body =
            r#"{"grant_type":"client_credentials","client_id":"demo-client","client_secret":"demo-secret"}"#;
        let request = format!(
            "POST /easemob-demo/chat/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        let answer = exchange(&mut stream, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("YWMt"), "{answer}");

        control.next(Matcher::any(), Fault::ResetBefore);
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(exchange(&mut stream, &request).await, "");

        let mut stream = TcpStream::connect(address).await.unwrap();
        let answer = exchange(
            &mut stream,
            "GET /_control/counters HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(answer.contains("\"POST /token\""), "{answer}");

        let mut idle = TcpStream::connect(address).await.unwrap();
        stop.cancel();
        assert_eq!(exchange(&mut idle, "").await, "");
    };
    let (served, ()) = tokio::join!(simulator.serve(listener, stop.clone()), client);
    served.unwrap();
}
