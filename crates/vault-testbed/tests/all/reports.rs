//! What each report says of the same results: nothing is lost from one to the next. No server is needed.

use std::{path::PathBuf, time::Duration};

use roxmltree::{Document, Node};
use serde_json::Value;
use vault_testbed::{
    origin::Origin,
    report::{
        self, About, Asked, AskedResult, MOST_ASKED, NotProven, OfProof, Results, ScenarioResult,
        StepResult, TurnResult, Verdict,
    },
    world::Change,
};

/// What XML, HTML and Markdown have for themselves, and what none of them can hold.
const HOSTILE: &str = "a <b> & \"c\" 'd' ]]> | `e` *f* \u{7}\u{0}\u{1b}[31m\u{fffe} ünï";

fn scenario(name: &str, verdict: Verdict) -> ScenarioResult {
    ScenarioResult {
        feature: "Logins".into(),
        system: Some("shop".into()),
        path: Some(PathBuf::from("logins.feature")),
        line: 5,
        rule: None,
        name: name.into(),
        description: Some("specs/shop/spec.yaml:19:7".into()),
        origin: Some(Origin {
            place: "specs/shop/spec.yaml:19:7".into(),
            line: "reader: { db_name: demo }".into(),
        }),
        tags: Vec::new(),
        verdict,
        steps: Vec::new(),
        turns: Vec::new(),
        took: Duration::from_secs(2),
        attempts: 1,
        vaults_started_in: Vec::new(),
        far_sides: Vec::new(),
    }
}

fn step(text: &str, failed: bool, asked: Vec<Asked>) -> StepResult {
    let asked = asked.into_iter().map(|what| AskedResult {
        at: Duration::from_millis(1500),
        took: Duration::from_millis(12),
        times: 1,
        what,
    });
    StepResult {
        keyword: "Then".into(),
        text: text.into(),
        line: 7,
        took: Duration::from_millis(30),
        failed,
        evidence: vec![format!("seen by {text}")],
        asked: asked.collect(),
        asked_left_out: 0,
        origin: None,
    }
}

fn request(path: &str, status: u16) -> Asked {
    Asked::Request { method: "GET", path: path.into(), status }
}

fn refused_login() -> Asked {
    Asked::Statement {
        server: "PostgreSQL",
        login: "v-reader".into(),
        text: "SELECT 1\n  FROM orders".into(),
        code: Some("28P01".into()),
        answer: "login refused with 28P01 no such login".into(),
    }
}

fn failed(reason: &str) -> Verdict {
    Verdict::Failed { reason: reason.into() }
}

/// A scenario whose last step was refused.
fn of_a_refused_login() -> Results {
    let mut refused = scenario("a login is refused", failed("it is refused"));
    let issued = request("database/creds/reader", 200);
    refused.steps = vec![
        step("a login is issued", false, vec![issued]),
        step("the login works", true, vec![refused_login()]),
    ];
    results(vec![refused])
}

fn results(scenarios: Vec<ScenarioResult>) -> Results {
    Results { scenarios, took: Duration::from_secs(4), aborted: None }
}

/// As it is, and as its schema says.
fn json(results: &Results, about: &About) -> Value {
    let json = report::json(results, about);
    let schema = jsonschema::validator_for(report::schema().as_value()).unwrap();
    let problems: Vec<String> = schema.iter_errors(&json).map(|it| it.to_string()).collect();
    assert_eq!(problems, [""; 0]);
    json
}

fn html(results: &Results) -> String {
    report::html(results, &About::default()).unwrap().replace("&#x2f;", "/")
}

#[test]
fn every_report_has_what_a_failed_step_asked() {
    let results = of_a_refused_login();
    let answer = "SELECT 1 FROM orders → login refused with 28P01 no such login (12 ms)";
    let line = report::line(&results.scenarios[0], false);
    assert!(line.contains(&format!("asked: PostgreSQL as v-reader: {answer}")), "{line}");
    let xml = report::junit(&results, &About::default()).unwrap();
    let parsed = Document::parse(&xml).unwrap();
    let out = parsed.descendants().find(|it| it.has_tag_name("system-out")).unwrap();
    let out = out.text().unwrap();
    for wanted in ["GET database/creds/reader → 200 (12 ms)", answer, "reader: { db_name: demo }"]
    {
        assert!(out.contains(wanted), "{out}");
    }
    let markdown = report::markdown(&results, &About::default());
    assert!(markdown.contains(answer), "{markdown}");
    let page = html(&results);
    assert!(page.contains("PostgreSQL as v-reader</span> <code>SELECT 1"), "{page}");
    assert!(page.contains("→ login refused with 28P01 no such login</span>"), "{page}");
    assert!(page.contains("<code>reader: { db_name: demo }</code>"), "{page}");
}

#[test]
fn the_json_has_requests_statements_and_the_line_of_the_spec() {
    let json = json(&of_a_refused_login(), &About::default());
    let scenario = &json["scenarios"][0];
    assert_eq!(scenario["spec"]["line"], "reader: { db_name: demo }");
    let of_step = |at: usize| &scenario["steps"][at]["asked"][0];
    let wanted = serde_json::json!({
        "of": "request", "method": "GET", "path": "database/creds/reader", "status": 200,
        "at_seconds": 1.5, "seconds": 0.012, "times": 1,
    });
    assert_eq!(*of_step(0), wanted);
    assert_eq!(of_step(1)["code"], "28P01");
    assert_eq!(of_step(1)["statement"], "SELECT 1\n  FROM orders");
}

#[test]
fn on_the_page_a_failed_step_begins_with_what_it_asked() {
    let page = html(&of_a_refused_login());
    let step = page.split("the login works</span>").nth(1).unwrap();
    assert!(step.find("28P01").unwrap() < step.find("seen by the login works").unwrap());
    let step = page.split("a login is issued</span>").nth(1).unwrap();
    assert!(step.find("seen by").unwrap() < step.find("database/creds/reader").unwrap());
}

#[test]
fn on_the_page_a_long_list_is_folded_and_says_how_much_is_left_out() {
    let mut long = scenario("long", Verdict::Passed);
    let asked = (0..MOST_ASKED).map(|it| request(&format!("sys/{it}"), 200)).collect();
    long.steps = vec![step("a spec stands", false, asked)];
    long.steps[0].asked_left_out = 7;
    let page = html(&results(vec![long]));
    let folded = page.split(r#"<details class="asked"><summary>47 requests</summary>"#).nth(1);
    let folded = folded.unwrap().split("</details>").next().unwrap();
    let gap = folded.find("… 7 more are left out here").unwrap();
    let (before, after) = folded.split_at(gap);
    assert_eq!((before.matches("sys/").count(), after.matches("sys/").count()), (20, 20));
    assert!(!html(&of_a_refused_login()).contains("<summary>1 request"));
}

/// Drawn from second 3, before the first turn, to second 12, the scenario's end.
fn of_two_lives() -> Results {
    let turn = |of: &str, what, at, lasts: Option<u64>| TurnResult {
        of: of.into(),
        what,
        at: Duration::from_secs_f64(at),
        lasts: lasts.map(Duration::from_secs),
    };
    let mut lives = scenario("lives", Verdict::Passed);
    lives.took = Duration::from_secs(12);
    lives.turns = vec![
        turn("v-reader", Change::Issued, 3.2, Some(4)),
        turn("v-reader", Change::Used, 3.4, None),
        turn("v-reader", Change::Renewed, 6.0, Some(4)),
        turn("static", Change::Rotated, 7.0, Some(60)),
        turn("v-reader", Change::Revoked, 8.0, None),
        turn("v-reader", Change::Refused, 8.4, None),
    ];
    results(vec![lives])
}

/// Where a second is, in thousandths of the width.
fn at(second: f64) -> f64 {
    ((second - 3.0) / 9.0 * 1000.0).round()
}

#[test]
fn on_the_page_lives_are_drawn_to_scale_with_a_sign_for_each_kind_of_turn() {
    let page = html(&of_two_lives());
    let drawing = page.split("Lives, to scale").nth(1).unwrap();
    let (from, to) = (drawing.find("<svg").unwrap(), drawing.find("</svg>").unwrap());
    let drawing = Document::parse(&drawing[from..to + "</svg>".len()]).unwrap();
    let number = |node: Node<'_, '_>, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
    let bar = |it: Node<'_, '_>| (number(it, "x"), number(it, "x") + number(it, "width"));
    let bars: Vec<_> = all(drawing.root(), "rect").into_iter().map(bar).collect();
    let wanted = [(3.2, 6.0), (6.0, 8.0), (7.0, 12.0)].map(|(from, to)| (at(from), at(to)));
    assert_eq!(bars, wanted);
    let open = |it: &Node<'_, '_>| it.attribute("class") == Some("life open");
    assert_eq!(
        all(drawing.root(), "rect").iter().map(open).collect::<Vec<_>>(),
        [false, false, true]
    );

    let mut signs = Vec::new();
    let mut marks = Vec::new();
    for group in all(drawing.root(), "g") {
        let mark = all(group, "path")[0];
        let place = group.attribute("transform").unwrap().trim_start_matches("translate(");
        let (x, y) = place.trim_end_matches(')').split_once(' ').unwrap();
        let (x, y) = (x.parse::<f64>().unwrap(), y.parse::<f64>().unwrap());
        marks.push((mark.attribute("class").unwrap(), x, y));
        signs.push(mark.attribute("d").unwrap());
    }
    let (first, second) = (22.0, 56.0);
    let wanted = [
        ("turn issued", at(3.2), first),
        ("turn used", at(3.4), first),
        ("turn renewed", at(6.0), first),
        ("turn revoked", at(8.0), first),
        ("turn refused", at(8.4), first),
        ("turn rotated", at(7.0), second),
    ];
    assert_eq!(marks, wanted);
    signs.sort_unstable();
    signs.dedup();
    assert_eq!(signs.len(), 6, "two kinds of turn have the same sign");
    let told = page.split("<figcaption>").nth(1).unwrap();
    assert!(told.contains("issued at 3.2 s for 4 s"), "{told}");
}

/// One passes for the shop, one fails and one is skipped for the hub, and one is for none.
fn of_systems() -> (Results, About) {
    let of = |system: Option<&str>, name: &str, verdict| ScenarioResult {
        system: system.map(str::to_owned),
        ..scenario(name, verdict)
    };
    let skipped = Verdict::Skipped { reason: "there is no moon".into() };
    let results = results(vec![
        of(None, "alone", Verdict::Passed),
        of(Some("shop"), "sells", Verdict::Passed),
        of(Some("hub"), "shares", failed("it shares nothing")),
        of(Some("hub"), "waits", skipped),
    ]);
    let not_proven =
        vec![NotProven { path: "aws/roles/app".into(), reason: "no AWS answers".into() }];
    let of_proof = OfProof { spec: "shop".into(), lives_divided_by: 1, not_proven };
    (results, About { of_proof: Some(of_proof), ..About::default() })
}

#[test]
fn the_json_sums_up_each_system_and_what_stands_unproven() {
    let (results, about) = of_systems();
    let system = |name: Value, counts: [u64; 3], seconds: f64, unproven: Value| {
        serde_json::json!({
            "system": name, "passed": counts[0], "failed": counts[1], "skipped": counts[2],
            "seconds": seconds, "unproven": unproven,
        })
    };
    let skipped = serde_json::json!([{ "what": "Logins › waits", "reason": "there is no moon" }]);
    let unproven = serde_json::json!([{ "what": "aws/roles/app", "reason": "no AWS answers" }]);
    let wanted = [
        system("hub".into(), [0, 1, 1], 4.0, skipped),
        system("shop".into(), [1, 0, 0], 2.0, unproven),
        system(Value::Null, [1, 0, 0], 2.0, serde_json::json!([])),
    ];
    let json = json(&results, &about);
    assert_eq!(json["systems"].as_array().unwrap(), &wanted);
    assert_eq!(json["spec"], "shop");
    assert_eq!(json["scenarios"][2]["system"], "hub");
}

#[test]
fn junit_has_a_suite_for_each_system_with_what_stands_unproven() {
    let (results, about) = of_systems();
    let xml = report::junit(&results, &about).unwrap();
    let parsed = Document::parse(&xml).unwrap();
    let suites = all(parsed.root(), "testsuite");
    let told: Vec<String> = suites
        .iter()
        .map(|suite| {
            let properties = all(*suite, "property").into_iter().map(|it| {
                format!("{}={}", it.attribute("name").unwrap(), it.attribute("value").unwrap())
            });
            let (tests, time) = (suite.attribute("tests").unwrap(), suite.attribute("time"));
            let properties: Vec<String> = properties.collect();
            format!("{tests} in {}: {}", time.unwrap(), properties.join(", "))
        })
        .collect();
    let wanted = [
        "2 in 4.000: system=hub, unproven: Logins › waits=there is no moon",
        "1 in 2.000: system=shop, unproven: aws/roles/app=no AWS answers",
        "1 in 2.000: system=no system of its own",
    ];
    assert_eq!(told, wanted);
}

#[test]
fn a_spec_of_which_nothing_was_run_is_told_of_all_the_same() {
    let (_, about) = of_systems();
    let xml = report::junit(&results(Vec::new()), &about).unwrap();
    assert!(xml.contains(r#"<property name="unproven: aws/roles/app""#), "{xml}");
    assert_eq!(json(&results(Vec::new()), &about)["systems"][0]["system"], "shop");
}

#[test]
fn the_summary_in_markdown_is_by_system() {
    let (results, about) = of_systems();
    let markdown = report::markdown(&results, &about);
    let tables: Vec<&str> = markdown.lines().filter(|it| it.starts_with('|')).collect();
    let wanted = [
        "| system | passed | failed | skipped | time |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| hub | 0 | 1 | 1 | 4.0 s |",
        "| shop | 1 | 0 | 0 | 2.0 s |",
        "| no system of its own | 1 | 0 | 0 | 2.0 s |",
        "| system | unproven | why |",
        "| --- | --- | --- |",
        "| hub | Logins › waits | there is no moon |",
        "| shop | aws/roles/app | no AWS answers |",
    ];
    assert_eq!(tables, wanted);
    let summary = report::summary(&results, &about);
    assert!(summary.contains("\nhub: 0 passed, 1 failed, 1 skipped in 4.00 s\n"), "{summary}");
    assert!(summary.ends_with("\n2 passed, 1 failed, 1 skipped\n"), "{summary}");
}

#[test]
fn the_page_sums_up_each_system() {
    let (results, about) = of_systems();
    let page = report::html(&results, &about).unwrap().replace("&#x2f;", "/");
    let rows: Vec<&str> =
        page.lines().filter(|it| it.starts_with("<tr class=\"system\">")).collect();
    assert_eq!(rows.len(), 3, "{page}");
    assert!(rows[0].starts_with("<tr class=\"system\"><th scope=\"row\">hub</th>"), "{}", rows[0]);
    let row = "<tr><td>shop</td><td><code>aws/roles/app</code></td><td>no AWS answers</td></tr>";
    assert!(page.contains(row), "{page}");
    assert!(page.contains("<td>there is no moon</td>"), "{page}");
}

/// The only elements of that name, below the whole or a part.
fn all<'a, 'i>(of: Node<'a, 'i>, name: &str) -> Vec<Node<'a, 'i>> {
    of.descendants().filter(|it| it.has_tag_name(name)).collect()
}

#[test]
fn junit_is_xml_with_one_case_for_each_scenario_whatever_its_name() {
    let mut retried = scenario("tried twice", Verdict::Passed);
    retried.attempts = 2;
    let mut hostile = scenario(HOSTILE, failed(HOSTILE));
    hostile.feature = HOSTILE.into();
    hostile.steps = vec![step(HOSTILE, true, vec![request(HOSTILE, 403)])];
    let skipped = Verdict::Skipped { reason: HOSTILE.into() };
    let results = results(vec![retried, scenario("skipped", skipped), hostile]);
    let xml = report::junit(&results, &About::default()).unwrap();
    let parsed = Document::parse(&xml).unwrap_or_else(|err| panic!("{err}\n{xml}"));
    let root = parsed.root_element();
    assert!(root.has_tag_name("testsuites"));
    let counts = ["tests", "failures", "errors"].map(|it| root.attribute(it).unwrap());
    assert_eq!(counts, ["3", "1", "0"]);
    let cases = all(root, "testcase");
    assert_eq!(cases.len(), 3);
    assert!(cases.iter().all(|it| it.attribute("time") == Some("2.000")));
    // An attempt before the last is neither a case nor a failure.
    assert_eq!(cases[0].attribute("name"), Some("tried twice"));
    let retries = ["failure", "flakyFailure", "rerunFailure", "skipped"];
    assert!(retries.iter().all(|it| all(cases[0], it).is_empty()), "{xml}");
    // What XML cannot hold is written out, and all else is there as it was.
    let shown = "a <b> & \"c\" 'd' ]]> | `e` *f* ";
    let name = cases[2].attribute("name").unwrap();
    assert!(name.starts_with(shown) && name.ends_with("ünï"), "{xml}");
    assert!(all(cases[2], "failure")[0].text().unwrap().starts_with(shown), "{xml}");
    assert!(all(cases[1], "skipped")[0].attribute("message").unwrap().starts_with(shown), "{xml}");
    for suite in all(root, "testsuite") {
        let of_suite = all(suite, "testcase").len().to_string();
        assert_eq!(suite.attribute("tests"), Some(&*of_suite));
    }
}

#[test]
fn what_was_skipped_stands_with_its_reason_in_every_report() {
    let skipped = Verdict::Skipped { reason: "there is no `sshd` here".into() };
    let results = results(vec![scenario("a key is taken", skipped)]);
    assert_eq!(results.counts(), "0 passed, 0 failed, 1 skipped");
    let told = json(&results, &About::default());
    assert_eq!(told["skipped"], 1);
    assert_eq!(told["scenarios"][0]["verdict"], "skipped");
    assert_eq!(told["scenarios"][0]["reason"], "there is no `sshd` here");
    let xml = report::junit(&results, &About::default()).unwrap();
    let parsed = Document::parse(&xml).unwrap();
    let reason = all(parsed.root(), "skipped")[0].attribute("message");
    assert_eq!(reason, Some("there is no `sshd` here"));
    assert_eq!(all(parsed.root(), "testsuite")[0].attribute("skipped"), Some("1"));
    let markdown = report::markdown(&results, &About::default());
    let row = r"| shop | Logins › a key is taken | there is no \`sshd\` here |";
    assert!(markdown.contains(row), "{markdown}");
    let page = html(&results);
    assert!(
        page.contains(r#"<pre class="reason skipped">there is no `sshd` here</pre>"#),
        "{page}"
    );
    assert!(page.contains(r#"data-verdict="skipped""#), "{page}");
    let summary = report::summary(&results, &About::default());
    assert!(
        summary.contains("SKIPPED Logins › a key is taken: there is no `sshd` here"),
        "{summary}"
    );
}
