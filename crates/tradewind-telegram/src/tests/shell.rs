//! The tokio shell against a stand-in Bot API over loopback that works, stalls, refuses and dies. The clock is tokio's own,
//! paused: an hour of trouble takes as long as the requests do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_bus::{Bus, EmptyLog, Subscription, SubscriptionOptions};
use tradewind_events::{Action, Command, CommandResult, Configuration, DeskView, Event};
use tradewind_model::{EventId, Timestamp};

use super::world::{WALL, configuration, fill, http, killed, message, options, view};
use crate::desk::{Answer, Desk, DeskError};
use crate::progress::ProgressFile;
use crate::run::{Telegram, TelegramError};

/// What the stand-in does with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ServerMode {
    #[default]
    Well,
    /// Takes the request and never answers.
    Stalls,
    /// 429 with `retry_after` 20.
    Busy,
    /// 502 with a page of HTML, as a proxy in front of a dead server does.
    Dead,
    /// 401.
    Unauthorized,
}

#[derive(Debug, Default)]
struct Inner {
    mode: ServerMode,
    updates: Vec<Value>,
    sent: Vec<String>,
    requests: u32,
}

#[derive(Clone, Debug, Default)]
struct BotApi(Arc<Mutex<Inner>>);

impl BotApi {
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn texts(&self) -> String {
        self.with(|inner| inner.sent.join("\n"))
    }
}

async fn answer(
    State(api): State<BotApi>,
    Path((bot, method)): Path<(String, String)>,
    body: String,
) -> Response {
    assert_eq!(bot, "bot42:SECRET");
    let body: Value = serde_json::from_str(&body).unwrap();
    let mode = api.with(|inner| {
        inner.requests += 1;
        inner.mode
    });
    let error = |code: u16, parameters: Value| {
        let body = json!({ "ok": false, "error_code": code, "description": "no", "parameters": parameters });
        (StatusCode::from_u16(code).unwrap(), body.to_string()).into_response()
    };
    match mode {
        ServerMode::Stalls => std::future::pending().await,
        ServerMode::Busy => return error(429, json!({ "retry_after": 20 })),
        ServerMode::Unauthorized => return error(401, Value::Null),
        ServerMode::Dead => return (StatusCode::BAD_GATEWAY, "<html>").into_response(),
        ServerMode::Well => {}
    }
    let result = if method == "getUpdates" {
        let offset = body["offset"].as_i64().unwrap_or(0);
        let updates = api.with(|inner| {
            inner
                .updates
                .retain(|update| update["update_id"].as_i64() >= Some(offset));
            inner.updates.clone()
        });
        if updates.is_empty() {
            // tidy: sleep: the clock is paused, so this moves it.
            tokio::time::sleep(Duration::from_secs(body["timeout"].as_u64().unwrap())).await;
        }
        json!(updates)
    } else {
        api.with(|inner| inner.sent.push(body["text"].as_str().unwrap().to_owned()));
        json!({ "message_id": 1 })
    };
    json!({ "ok": true, "result": result })
        .to_string()
        .into_response()
}

#[derive(Debug)]
struct MadeUpDesk {
    bus: Bus,
    started: Instant,
    commands: Mutex<Vec<Command>>,
}

impl Desk for MadeUpDesk {
    fn configuration(&self) -> Arc<Configuration> {
        Arc::new(configuration())
    }

    fn now(&self) -> Timestamp {
        self.wall()
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_secs(WALL) + self.started.elapsed()
    }

    fn view(&self) -> Answer<'_, Result<Arc<DeskView>, DeskError>> {
        Box::pin(async { Ok(Arc::new(view())) })
    }

    fn command(&self, command: Command) -> Answer<'_, Result<CommandResult, DeskError>> {
        self.commands.lock().unwrap().push(command);
        Box::pin(async { Ok(CommandResult::Accepted(None)) })
    }

    fn subscribe(&self, options: SubscriptionOptions) -> Subscription {
        self.bus.subscribe(options)
    }
}

struct Rig {
    api: BotApi,
    desk: Arc<MadeUpDesk>,
    shutdown: CancellationToken,
    tasks: JoinSet<Result<(), TelegramError>>,
    published: u64,
    _folder: tempfile::TempDir,
}

async fn rig(mode: ServerMode) -> Rig {
    let api = BotApi::default();
    api.with(|inner| inner.mode = mode);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let routes = Router::new().route("/{bot}/{method}", axum::routing::post(answer));
    let server = axum::serve(listener, routes.with_state(api.clone()));
    let desk = Arc::new(MadeUpDesk {
        bus: Bus::new(Arc::new(EmptyLog)),
        started: Instant::now(),
        commands: Mutex::default(),
    });
    let folder = tempfile::tempdir().unwrap();
    let mut options = options();
    options.api_url = format!("http://{address}");
    let store = Arc::new(ProgressFile::new(folder.path().join("telegram.json")));
    let seam: Arc<dyn Desk> = Arc::<MadeUpDesk>::clone(&desk);
    let telegram = Telegram::new(options, http(), seam, store);
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(telegram.run(shutdown.clone()));
    tasks.spawn(async move {
        server.await.unwrap();
        Ok(())
    });
    let rig = Rig {
        api,
        desk,
        shutdown,
        tasks,
        published: 0,
        _folder: folder,
    };
    rig.until(|rig| rig.api.with(|inner| inner.requests > 0))
        .await;
    rig
}

impl Rig {
    /// Waits until something is so, for at most two hours of a clock that runs by itself.
    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..72_000 {
            if is_so(self) {
                return;
            }
            // tidy: sleep: the clock is paused, so this moves it.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it never came to that: {:?}", self.api);
    }

    fn publish(&mut self, kind: tradewind_events::EventKind) {
        self.published += 1;
        let id = EventId {
            seq: self.published,
            index: 0,
        };
        let event = Event {
            id,
            at: self.desk.wall(),
            cause: None,
            kind,
        };
        self.desk.bus.publish(&Arc::new(event));
    }

    fn commands(&self) -> Vec<Action> {
        let commands = self.desk.commands.lock().unwrap();
        commands
            .iter()
            .map(|command| command.action.clone())
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn commands_arrive_over_the_wire_and_are_applied_once() {
    let rig = rig(ServerMode::Well).await;
    rig.api
        .with(|inner| inner.updates.push(message(7, 3_600, "/kill fire")));
    rig.until(|rig| rig.api.texts().contains("Accepted: kill."))
        .await;
    assert_eq!(
        rig.commands(),
        [Action::Kill {
            reason: "fire".into(),
            flatten: false,
            include_external: false,
        }]
    );
    assert!(rig.api.texts().starts_with("Received: kill."));
    rig.until(|rig| rig.api.with(|inner| inner.updates.is_empty()))
        .await;
    rig.shutdown.cancel();
    assert_eq!(rig.commands().len(), 1);
}

/// L08, for each way in which the Bot API can be of no use.
#[tokio::test(start_paused = true)]
async fn an_hour_of_trouble_loses_no_kill_and_holds_up_no_publisher() {
    for mode in [ServerMode::Stalls, ServerMode::Busy, ServerMode::Dead] {
        let mut rig = rig(mode).await;
        for minute in 0..60_u64 {
            for number in 0..200 {
                rig.publish(fill(minute * 200 + number));
            }
            rig.publish(killed(&format!("reason {minute}")));
            // tidy: sleep: the clock is paused, so this moves it.
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        assert_eq!(rig.api.with(|inner| inner.sent.len()), 0);
        for stats in rig.desk.bus.stats() {
            let total = stats.total();
            assert_eq!((total.dropped, stats.depth), (0, 0), "{mode:?}: {stats:?}");
        }
        assert!(
            rig.api.with(|inner| inner.requests) < 1_000,
            "{mode:?}: it is not hammered"
        );
        rig.api.with(|inner| inner.mode = ServerMode::Well);
        rig.until(|rig| rig.api.texts().contains(" more order_filled"))
            .await;
        for minute in 0..60 {
            let line = format!("<code>reason {minute}</code>");
            assert!(rig.api.texts().contains(&line), "{mode:?}: {line}");
        }
        // And it listens again.
        rig.api
            .with(|inner| inner.updates.push(message(7, 0, "/stop all")));
        rig.until(|rig| rig.commands().len() == 2).await;
        rig.shutdown.cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_known_ends_the_run() {
    let mut rig = rig(ServerMode::Unauthorized).await;
    let ended = rig.tasks.join_next().await.unwrap().unwrap();
    assert!(matches!(ended, Err(TelegramError::Unauthorized)));
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_it_at_once_even_if_the_bot_api_stalls() {
    let mut rig = rig(ServerMode::Stalls).await;
    let before = Instant::now();
    rig.shutdown.cancel();
    assert!(rig.tasks.join_next().await.unwrap().unwrap().is_ok());
    assert!(before.elapsed() < Duration::from_secs(1));
}
