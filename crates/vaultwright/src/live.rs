//! `prove --live`: a Vault that people use, with what is safe there, and all of it taken back.

use std::sync::Arc;

use anyhow::Context;
use vault_model::spec::Spec;
use vault_testbed::{
    ground::{Ground, Kind, interrupted},
    live::{Ended, Live},
};

use crate::{
    Exit,
    output::{self, Terminal},
    prove::{self, ProveArgs},
    session,
};

pub async fn prove(args: &ProveArgs, address: &str) -> anyhow::Result<Exit> {
    let inputs = args.spec.inputs.inputs();
    let (spec, proofs) = prove::generate_live(&args.spec.spec, &inputs, &args.only)?;
    let features = prove::features(&proofs)?;
    let terminal = Terminal::default();
    terminal.secrets.add_of_variables(&spec.redactor);
    let signal = interrupted();
    let ground = Ground::open(Some(Kind::Address)).await?;
    let proven = session::at(Some(address), &args.login, async |vault| {
        let live = Live::new(vault, args.rotate);
        let mut suite = prove::suite(&ground, inputs, args.filter(), args.concurrency, &terminal)?;
        suite.live = Some(live.clone());
        let work = async {
            if !stands(&live, &spec, address, &terminal).await? {
                return Ok(None);
            }
            println!("proving {} on the Vault at {address}, which is left as it is", spec.name);
            Ok::<_, anyhow::Error>(Some(prove::run(&suite, features, &terminal).await))
        };
        let results = ground.until_done(signal, work).await;
        // Whatever became of it: also after Ctrl-C.
        let ended = live.end().await;
        terminal.print(&told(&ended));
        let Some(results) = results? else { return Ok(Exit::Differs) };
        let exit = prove::tell(args, (&spec, &proofs), &suite, results, &terminal)?;
        Ok(if ended.left.is_empty() { exit } else { Exit::Failed })
    });
    terminal.end(proven.await)
}

/// What is proven is what is there: where it is not as the spec says, nothing is. Else the proof gets its own token.
async fn stands(
    live: &Arc<Live>,
    spec: &Spec,
    address: &str,
    terminal: &Terminal,
) -> anyhow::Result<bool> {
    let plan = live.plan(spec).await?.plan;
    if !plan.is_empty() {
        terminal.print(&plan.show(output::colour()));
        eprintln!(
            "the Vault at {address} is not as {} says, so that nothing of it is proven: apply the spec first, \
             or correct it (`vaultwright verify` shows each difference)",
            spec.name
        );
        return Ok(false);
    }
    live.begin().await.context(
        "the proof needs a token of its own, to which all its leases belong: \
         grant `update` on auth/token/create to this login",
    )?;
    Ok(true)
}

fn told(ended: &Ended) -> String {
    if *ended == Ended::default() {
        return String::new();
    }
    let Ended { tokens, secret_ids, left } = ended;
    let mut text =
        format!("taken back: {tokens} tokens with all their leases, {secret_ids} secret-ids\n");
    for it in left {
        text.push_str(&format!("NOT TAKEN BACK {it}\n"));
    }
    text
}
