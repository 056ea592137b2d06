import json

from llmops_lib.demo import sample_export


def test_a_policy_is_written_once_and_is_then_the_one_in_force(llmops, tmp_path, monkeypatch):
    """The file is there to be changed and reviewed."""
    monkeypatch.chdir(tmp_path)
    assert "the packaged policy" in llmops("policy", "show")[1]
    assert llmops("policy", "init")[0] == 0
    assert llmops("policy", "init")[0] == 2
    code, out, _ = llmops("policy", "show", "--json")
    assert (code, json.loads(out)["policy"]) == (0, "policy.yaml")


def test_what_went_where_it_should_not_have_fails_the_check(llmops):
    """The synthetic export holds cards of its users."""
    code, out, _ = llmops("policy", "check", sample_export(), "--json")
    rows = json.loads(out)["rows"]
    assert code == 1
    assert {row["kind"] for row in rows if row["is_violation"]} >= {"CARD"}


def test_an_export_that_kept_to_the_policy_passes(llmops, tmp_path):
    """A policy that allows everything is kept by everything."""
    path = tmp_path / "policy.yaml"
    allowed = "{personal: allow, SECRET: allow, MEDIA: allow}"
    path.write_text(
        "endpoints:\n- name: all\n  providers: [openai, anthropic, gcp.gemini, vllm]\n"
        f"  purposes: {{production: {{classes: {allowed}}}}}\n"
    )
    assert llmops("policy", "check", sample_export(), "--policy", path)[0] == 0


def test_rows_that_could_not_be_read_are_counted_beside_the_verdict(llmops, tmp_path):
    """A folder of damaged exports must not look like one that kept to the policy."""
    (tmp_path / "damaged.jsonl").write_text("no export\n", encoding="utf-8")
    _, out, err = llmops("policy", "check", tmp_path)
    assert "0 of 0 rows are against the policy" in out
    assert "1 of 1 rows could not be read" in err
