//! Mail to people: links to choose a password with. Sending is off the way of every request: a bounded queue, a few
//! attempts, and a line in the log if none succeeds, which names no link.

mod letters;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use signet_core::context::UnixTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::config::MailSettings;

pub use letters::{Letter, Occasion};

/// Mails that may wait to be sent.
const QUEUE: usize = 1_000;
/// Pauses before the second attempt and later ones.
const PAUSES: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(30), Duration::from_mins(3)];
/// Longest time of one attempt.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Mails that are kept to be looked at, in development.
const KEPT: usize = 100;

/// One mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// To whom.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The link in both.
    pub link: String,
    /// When it was written.
    pub at: UnixTime,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Sends mail, or does not.
#[derive(Clone, Default)]
pub struct Mailer(Means);

#[derive(Clone, Default)]
enum Means {
    /// Nobody has said how.
    #[default]
    Off,
    /// By SMTP.
    Smtp(mpsc::Sender<Message>, Mailbox),
    /// Into memory, for a page of `signet dev` and for tests.
    Outbox(Arc<Mutex<VecDeque<Mail>>>),
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Means::Off => "Mailer(off)",
            Means::Smtp(..) => "Mailer(smtp)",
            Means::Outbox(_) => "Mailer(outbox)",
        })
    }
}

impl Mailer {
    /// As the settings say: nothing, or SMTP. To be called where tasks can be started.
    pub fn new(settings: &MailSettings) -> Result<Self, String> {
        if settings.smtp_url.is_empty() {
            return Ok(Self::default());
        }
        let from: Mailbox = settings.from.parse().map_err(|_| "from is not an e-mail address".to_owned())?;
        // The error of the parser may repeat the password.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.smtp_url)
            .map_err(|_| "smtp_url is not an address of the form smtps://user:password@host".to_owned())?;
        let transport = builder.timeout(Some(ATTEMPT)).build();
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(deliver(transport, receiver));
        Ok(Self(Means::Smtp(sender, from)))
    }

    /// Keeps mails in memory.
    pub fn outbox() -> Self {
        Self(Means::Outbox(Arc::default()))
    }

    /// Whether mail goes anywhere.
    pub fn works(&self) -> bool {
        !matches!(self.0, Means::Off)
    }

    /// The mails that were kept, newest first; `None` where none are kept.
    pub fn kept(&self) -> Option<Vec<Mail>> {
        let Means::Outbox(kept) = &self.0 else { return None };
        Some(kept.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect())
    }

    /// Takes a mail to be sent. `false` if it goes nowhere: there is no mail, the address is none, or too many wait.
    pub fn send(&self, mail: Mail) -> bool {
        match &self.0 {
            Means::Off => false,
            Means::Outbox(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() >= KEPT {
                    kept.pop_front();
                }
                kept.push_back(mail);
                true
            }
            Means::Smtp(queue, from) => {
                let Some(message) = message(mail, from) else {
                    tracing::warn!("a mail could not be written: the address of its reader is none");
                    return false;
                };
                let taken = queue.try_send(message).is_ok();
                if !taken {
                    tracing::error!("a mail was dropped: too many wait to be sent");
                }
                taken
            }
        }
    }
}

fn message(mail: Mail, from: &Mailbox) -> Option<Message> {
    let to = Mailbox::new(None, mail.to.parse().ok()?);
    let parts = MultiPart::alternative_plain_html(mail.text, mail.html);
    Message::builder().from(from.clone()).to(to).subject(mail.subject).multipart(parts).ok()
}

/// Sends what comes in, one after the other, until nobody can hand in any more.
async fn deliver(transport: AsyncSmtpTransport<Tokio1Executor>, mut queue: mpsc::Receiver<Message>) {
    let places = Arc::new(Semaphore::new(QUEUE));
    while let Some(message) = queue.recv().await {
        // One that fails waits by itself, as long as there is room: the others go on.
        let transport = transport.clone();
        if let Err(error) = transport.send(message.clone()).await {
            tracing::warn!(%error, "a mail could not be sent");
            if let Ok(place) = places.clone().try_acquire_owned() {
                tokio::spawn(again(transport, message, place));
            } else {
                tracing::error!("a mail was given up: too many wait for another attempt");
            }
        }
    }
}

async fn again(transport: AsyncSmtpTransport<Tokio1Executor>, message: Message, place: OwnedSemaphorePermit) {
    for pause in PAUSES {
        tokio::time::sleep(pause).await;
        match transport.send(message.clone()).await {
            Ok(_) => return,
            Err(error) => tracing::warn!(%error, "a mail could not be sent"),
        }
    }
    tracing::error!("a mail was given up");
    drop(place);
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    use super::*;

    fn mail(to: &str) -> Mail {
        Mail {
            to: to.into(),
            subject: "Hello".into(),
            text: "plain".into(),
            html: "<p>rich</p>".into(),
            link: String::new(),
            at: 0,
        }
    }

    fn settings(url: &str, from: &str) -> MailSettings {
        MailSettings { smtp_url: url.into(), from: from.into() }
    }

    #[tokio::test]
    async fn settings_that_cannot_work_are_refused_and_nothing_is_off() {
        assert!(!Mailer::new(&settings("", "")).unwrap().works());
        assert!(!Mailer::default().send(mail("a@b.example")));
        assert!(Mailer::new(&settings("smtps://h", "nobody")).unwrap_err().contains("from"));
        let refused = Mailer::new(&settings("http://u:secret@h", "a@b.example")).unwrap_err();
        assert!(refused.contains("smtp_url") && !refused.contains("secret"));
    }

    #[test]
    fn the_outbox_keeps_the_last_ones() {
        let mailer = Mailer::outbox();
        for n in 0..KEPT + 5 {
            assert!(mailer.send(mail(&format!("{n}@b.example"))));
        }
        let kept = mailer.kept().unwrap();
        assert_eq!((kept.len(), kept[0].to.as_str()), (KEPT, "104@b.example"));
        assert!(!format!("{kept:?}").contains("plain"), "a mail holds a link");
    }

    /// A server that speaks just enough SMTP (RFC 5321) to hear one mail.
    async fn hear(listener: tokio::net::TcpListener) -> String {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 here\r\n").await.unwrap();
        let mut heard = String::new();
        let mut in_data = false;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap() == 0 {
                return heard;
            }
            heard.push_str(&line);
            let answer = match line.trim_end() {
                "." if in_data => {
                    stream.write_all(b"250 taken\r\n").await.unwrap();
                    return heard;
                }
                _ if in_data => continue,
                "DATA" => {
                    in_data = true;
                    "354 go on"
                }
                _ => "250 fine",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_mail_goes_out_by_smtp_in_both_forms_and_nothing_slips_into_its_head() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("smtp://127.0.0.1:{port}");
        let mailer = Mailer::new(&settings(&url, "Bank <no-reply@bank.example>")).unwrap();
        let hearing = tokio::spawn(hear(listener));
        assert!(!mailer.send(mail("nobody")));
        assert!(!mailer.send(mail("a@b.example>\r\nRCPT TO:<c@d.example")));
        let subject = "Hello\r\nBcc: c@d.example".to_owned();
        assert!(mailer.send(Mail { subject, ..mail("a@b.example") }));
        let heard = hearing.await.unwrap();
        assert!(
            heard.contains("RCPT TO:<a@b.example>") && heard.contains("MAIL FROM:<no-reply@bank.example>")
        );
        assert!(heard.contains("plain") && heard.contains("<p>rich</p>"), "{heard}");
        assert!(!heard.lines().any(|line| line.starts_with("Bcc:")), "{heard}");
    }
}
