//! What a node does by itself: deletes what is past its time, looks after the tenants' keys, tells clients of logouts that
//! they have not taken yet, and makes the audit chain. Every node runs the same jobs; each write decides by itself, so that
//! two nodes at once do no harm.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::audit_chain;
use crate::config;
use crate::logout_delivery;
use crate::tenant_keys;

/// Most rows deleted by one statement. Small batches keep the latency of inserts flat (design section 5).
const BATCH: u32 = 1000;

/// The running jobs.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Stops the jobs and waits for the steps they are in.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background job failed");
            }
        }
    }
}

/// Starts the jobs.
pub fn start(app: &App, settings: &config::Jobs) -> Running {
    let (stop, stopped) = watch::channel(false);
    let tasks = vec![
        every(settings.sweep_seconds, app.clone(), stopped.clone(), |app| async move { sweep(&app).await }),
        every(settings.key_seconds, app.clone(), stopped.clone(), |app| async move {
            look_after_keys(&app).await;
        }),
        every(settings.logout_seconds, app.clone(), stopped.clone(), |app| async move {
            logout_delivery::deliver_due(&app).await;
        }),
        every(settings.audit_seconds, app.clone(), stopped.clone(), |app| async move {
            audit_chain::seal_all(&app).await;
        }),
        every(settings.retention_seconds, app.clone(), stopped, |app| async move {
            audit_chain::purge_all(&app).await;
        }),
    ];
    Running { stop, tasks }
}

fn every<F, R>(seconds: u64, app: App, mut stopped: watch::Receiver<bool>, step: F) -> JoinHandle<()>
where
    F: Fn(App) -> R + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let pause = Duration::from_secs(seconds.max(1));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => step(app.clone()).await,
                _ = stopped.changed() => return,
            }
        }
    })
}

async fn sweep(app: &App) {
    app.limits.forget();
    let now = app.clock.now();
    loop {
        match app.store.sweep(now, BATCH).await {
            Ok(swept) if swept.more => tokio::time::sleep(Duration::from_millis(20)).await,
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "what is past its time could not be deleted; trying again later");
                return;
            }
        }
    }
}

async fn look_after_keys(app: &App) {
    let tenants = match app.store.tenants().await {
        Ok(tenants) => tenants,
        Err(error) => {
            tracing::warn!(%error, "the tenants could not be read; trying again later");
            return;
        }
    };
    for tenant in tenants {
        if let Err(error) = tenant_keys::ensure(app, &tenant).await {
            tracing::error!(tenant = %tenant.id, %error, "keys could not be made; trying again later");
        }
    }
}
