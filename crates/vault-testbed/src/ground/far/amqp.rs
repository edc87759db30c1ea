//! What users of a broker do by AMQP 0-9-1, as applications do it: connect to a virtual host, declare, publish, consume.

use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ErrorKind, Event,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions,
        QueueDeclareOptions,
    },
    types::FieldTable,
    uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo},
};
use secrecy::ExposeSecret;

use super::Answer;
use super::login::{Lack, Login, NoAnswer, Refusal, Said};
use super::session::{Fate, Line};

/// How claims say it.
pub const WORDS: &str = "`connect to VHOST`, `declare queue QUEUE in VHOST`, \
    `publish ROUTING_KEY to EXCHANGE in VHOST`, `consume from QUEUE in VHOST`";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    Connect,
    DeclareQueue(&'a str),
    Publish { key: &'a str, exchange: &'a str },
    Consume(&'a str),
}

/// The name that permissions, and the management API, know the exchange without a name by.
const NAMELESS: &str = "amq.default";
/// Every broker has it at first.
const FIRST_VHOST: &str = "/";
const DEFAULT_PORT: u16 = 5672;
const TIMEOUT: Duration = Duration::from_secs(20);

const ACCESS_REFUSED: u16 = 403;
const NOT_ALLOWED: u16 = 530;

type Asked<T> = Result<T, NoAnswer>;

/// With the virtual host that it is done in.
pub(super) fn parsed(statement: &str) -> Option<(Operation<'_>, &str)> {
    Some(match statement.split_whitespace().collect::<Vec<_>>()[..] {
        ["connect", "to", vhost] => (Operation::Connect, vhost),
        ["declare", "queue", queue, "in", vhost] => (Operation::DeclareQueue(queue), vhost),
        ["publish", key, "to", exchange, "in", vhost] => {
            (Operation::Publish { key, exchange }, vhost)
        }
        ["consume", "from", queue, "in", vhost] => (Operation::Consume(queue), vhost),
        _ => return None,
    })
}

pub(super) async fn run(login: &Login, operation: Operation<'_>, vhost: &str) -> Asked<Said> {
    let connection = match connect(login, vhost).await {
        Ok(connection) => connection,
        Err(error) => return refused_at_opening(&error).map(Said::Refused),
    };
    let said = perform(&connection, operation).await;
    // What is wrong with an ending is nobody's refusal.
    let _ = connection.close(200, "done".into()).await;
    said
}

/// Who has no right in the virtual host has been known before.
pub(super) async fn log_in(login: &Login) -> Asked<Said> {
    Ok(match run(login, Operation::Connect, FIRST_VHOST).await? {
        Said::Refused(refusal) if refusal.code == NOT_ALLOWED.to_string() => Said::Done,
        said => said,
    })
}

async fn connect(login: &Login, vhost: &str) -> lapin::Result<Connection> {
    let (host, port) = address(login);
    let userinfo = AMQPUserInfo {
        username: login.user.clone(),
        password: login.password.expose_secret().to_owned(),
    };
    let milliseconds = u64::try_from(TIMEOUT.as_millis()).unwrap_or(u64::MAX);
    let query =
        AMQPQueryString { connection_timeout: Some(milliseconds), ..AMQPQueryString::default() };
    let uri = AMQPUri {
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority { userinfo, host, port },
        vhost: vhost.to_owned(),
        query,
    };
    Connection::connect_uri(uri, ConnectionProperties::default()).await
}

fn address(login: &Login) -> (String, u16) {
    let known = login.second_address.as_deref().and_then(|it| it.rsplit_once(':'));
    let known = known.and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = known.unwrap_or((login.host(), DEFAULT_PORT));
    (host.trim_matches(['[', ']']).to_owned(), port)
}

async fn perform(connection: &Connection, operation: Operation<'_>) -> Asked<Said> {
    let channel = match connection.create_channel().await {
        Ok(channel) => channel,
        Err(error) => return refused(&error).map(Said::Refused),
    };
    match operation {
        Operation::Connect => Ok(Said::Done),
        Operation::DeclareQueue(queue) => {
            let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            told(channel.queue_declare(queue.into(), options, FieldTable::default()).await)
        }
        Operation::Publish { key, exchange } => publish(&channel, exchange, key, "{}").await,
        // What is delivered is not acknowledged: it goes back into the queue.
        Operation::Consume(queue) => told(consumer(&channel, queue).await),
    }
}

/// Until the broker has it: without a confirmation, who lacks the right to publish would be told later.
async fn publish(channel: &Channel, exchange: &str, key: &str, text: &str) -> Asked<Said> {
    let sent = async {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let exchange = if exchange == NAMELESS { "" } else { exchange }.into();
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent =
            channel.basic_publish(exchange, key.into(), options, text.as_bytes(), properties);
        sent.await?.await
    };
    match sent.await {
        Ok(Confirmation::Nack(_)) => Err(NoAnswer("AMQP: it does not keep the message".into())),
        confirmed => told(confirmed),
    }
}

async fn consumer(channel: &Channel, queue: &str) -> lapin::Result<lapin::Consumer> {
    let options = BasicConsumeOptions::default();
    channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await
}

fn told<T>(done: lapin::Result<T>) -> Asked<Said> {
    match done {
        Ok(_) => Ok(Said::Done),
        Err(error) => refused(&error).map(Said::Refused),
    }
}

fn refused_at_opening(error: &lapin::Error) -> Asked<Refusal> {
    let refusal = refused(error)?;
    let of_login = refusal.code == ACCESS_REFUSED.to_string();
    let of_vhost = refusal.code == NOT_ALLOWED.to_string() && refusal.message.contains("refused");
    let lack = match (of_login, of_vhost) {
        (true, _) => Lack::OfLogin,
        (_, true) => Lack::OfRight,
        _ => Lack::OfSomething,
    };
    Ok(Refusal { at_login: of_login, lack, ..refusal })
}

/// An error of the network is no refusal.
fn refused(error: &lapin::Error) -> Asked<Refusal> {
    let ErrorKind::ProtocolError(said) = error.kind() else {
        return Err(NoAnswer(format!("AMQP: {error}")));
    };
    let code = said.get_id();
    let lack = if code == ACCESS_REFUSED { Lack::OfRight } else { Lack::OfSomething };
    let message = said.get_message().to_string();
    Ok(Refusal { code: code.to_string(), message, at_login: false, lack })
}

/// A connection that stays open, and nothing more.
pub(super) async fn line(login: &Login, vhost: &str) -> Asked<impl Line + use<>> {
    let connection = connect(login, vhost).await;
    connection.map(Open).map_err(|error| NoAnswer(format!("AMQP: {error}")))
}

struct Open(Connection);

impl Line for Open {
    fn ask(&mut self) -> Answer<'_, Fate> {
        let asked = async {
            let channel = match self.0.create_channel().await {
                Ok(channel) => channel,
                Err(error) => return Ok(Fate::Over(format!("AMQP: {error}"))),
            };
            // What is wrong with an ending is nobody's refusal.
            let _ = channel.close(200, "done".into()).await;
            Ok(Fate::GoesOn)
        };
        asked.boxed()
    }
}

/// A connection that stays open, as that of an application.
pub struct Connected {
    login: Login,
    vhost: String,
    connection: Connection,
    events: std::pin::Pin<Box<dyn Stream<Item = Event> + Send>>,
}

impl Connected {
    pub async fn open(login: &Login, vhost: &str) -> Asked<Result<Self, Refusal>> {
        let mut opened = None;
        let opening = async {
            match connect(login, vhost).await {
                Ok(connection) => {
                    opened = Some(connection);
                    Ok(Said::Done)
                }
                Err(error) => refused_at_opening(&error).map(Said::Refused),
            }
        };
        let said = login.noting(&format!("connect to {vhost}"), opening).await?;
        match (said, opened) {
            (Said::Refused(refusal), _) => Ok(Err(refusal)),
            (Said::Done, None) => Err(NoAnswer("AMQP: no connection".to_owned())),
            (Said::Done, Some(connection)) => Ok(Ok(Self {
                login: login.clone(),
                vhost: vhost.to_owned(),
                events: Box::pin(connection.events_listener()),
                connection,
            })),
        }
    }

    /// Publishes `text` to a queue, and takes what is in there until it comes.
    pub async fn sends_itself(&self, queue: &str, text: &str) -> Asked<Said> {
        let Self { login, vhost, connection, .. } = self;
        let sent = async {
            match connection.create_channel().await {
                Ok(channel) => publish(&channel, NAMELESS, queue, text).await,
                Err(error) => refused(&error).map(Said::Refused),
            }
        };
        let words = format!("publish {queue} to {NAMELESS} in {vhost}");
        let said = login.noting(&words, sent).await?;
        if matches!(said, Said::Refused(_)) {
            return Ok(said);
        }
        let taken = async {
            let taken = tokio::time::timeout(TIMEOUT, self.take(queue, text)).await;
            let late = |_| NoAnswer(format!("it came not within {} s", TIMEOUT.as_secs()));
            told(taken.map_err(late)?)
        };
        login.noting(&format!("consume from {queue} in {vhost}"), taken).await
    }

    async fn take(&self, queue: &str, text: &str) -> lapin::Result<()> {
        let channel = self.connection.create_channel().await?;
        let mut consumer = consumer(&channel, queue).await?;
        while let Some(delivery) = consumer.next().await {
            let delivery = delivery?;
            delivery.ack(BasicAckOptions::default()).await?;
            if delivery.data == text.as_bytes() {
                break;
            }
        }
        Ok(())
    }

    /// Waits until the broker ends it, and hears why.
    pub async fn ended(&mut self, deadline: Duration) -> Asked<Said> {
        let events = &mut self.events;
        let ending = async {
            while let Some(event) = events.next().await {
                if let Event::Error(error) = event {
                    return refused(&error).map(Said::Refused);
                }
            }
            Err(NoAnswer("AMQP: it ended without a word".to_owned()))
        };
        let ended = async {
            match tokio::time::timeout(deadline, ending).await {
                Ok(ended) => ended,
                Err(_) => Ok(Said::Done),
            }
        };
        self.login.noting(&format!("stay connected to {}", self.vhost), ended).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_said_in_words() {
        let queue = Operation::DeclareQueue("app-mine");
        let publish = Operation::Publish { key: "orders.new", exchange: "amq.topic" };
        assert_eq!(parsed("connect to /"), Some((Operation::Connect, "/")));
        assert_eq!(parsed("declare queue app-mine in orders"), Some((queue, "orders")));
        assert_eq!(parsed("publish orders.new to amq.topic in orders"), Some((publish, "orders")));
        assert_eq!(
            parsed("consume from app-new in orders"),
            Some((Operation::Consume("app-new"), "orders"))
        );
        assert_eq!(parsed("consume app-new"), None);
        assert_eq!(parsed("GET /api/whoami"), None);
    }

    #[tokio::test]
    async fn a_broker_that_is_not_there_refuses_nobody() {
        let login = Login {
            side: &super::super::RABBITMQ,
            address: "127.0.0.1:1".to_owned(),
            second_address: Some("127.0.0.1:1".to_owned()),
            database: String::new(),
            user: "app".to_owned(),
            password: "any".into(),
            session_token: None,
            ahead: Duration::ZERO,
            statements: std::sync::Arc::default(),
        };
        let silent = log_in(&login).await.unwrap_err();
        assert!(silent.to_string().contains("AMQP: "), "{silent}");
    }
}
