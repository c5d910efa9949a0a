"""Specifications that could never be decided are refused before anything is trained, each with its remedy."""

from __future__ import annotations

import pytest

from harness.judging import feasibility, names, student
from harness.judging.feasibility import problems_of
from harness.specification.yaml12 import MOST_PROBLEMS
from tests.specimen import claim, claim_with, sound

NET = {"arm": "net", "width": 4, "scene": "plain"}
SVM = {**NET, "arm": "svm"}
AT = {"arm": "net", "scene": "plain"}
E = ("readings", "as_documented", "expectations", "e")
C = (*E, "contrast")
REMEDY = "raise the cap, or count more examples in a trial (a metric of zeros and ones: `rate`)"
FRACTION = {"unit": "fraction", "better": "lower", "bounds": [0, 1]}


def test_a_sound_claim_has_no_problem():
    assert problems_of(claim()) == []


@pytest.mark.parametrize(
    ("contrast", "band"),
    [
        ({"mean": "error", "at": NET}, {"at_most": 0.1}),
        ({"mean": "error", "at": {**NET, "width": [1, 2], "take": "min"}}, {"at_most": 0.1}),
        ({"difference": "error", "of": NET, "minus": {**NET, "width": [1, 2], "take": "max"}}, {"at_most": 0.1}),
        (
            {
                "difference": "error",
                "of": {**NET, "width": [1, 2], "take": "min"},
                "minus": {**NET, "width": [1, 2], "take": "max"},
            },
            {"at_most": -0.1},
        ),
        ({"ratio": "loss", "of": NET, "to": SVM}, {"at_most": 0.5}),
        ({"slope": "loss", "over": "width", "at": AT, "values": [1, 2]}, {"at_most": 0}),
        ({"loglog_slope": "error", "over": "width", "at": AT}, {"between": [-1, 0]}),
        ({"rank_trend": "error", "over": "width", "at": AT}, {"at_most": 0}),
        ({"exact": "error"}, {"at_most": 0}),
        ({"exact": "error", "at": {"arm": ["net", "svm"], "width": [1, 2]}}, {"at_most": 0}),
        ({"exact": "error", "at": {"width": 4}}, {"at_least": 1}),
        ({"mean": "error", "at": {**NET, "width": 4.0}}, {"at_most": 0.1}),
        # At a bound the interval is clipped: 0.004 is room enough there, though no interval is that narrow elsewhere.
        ({"mean": "error", "at": NET}, {"between": [0, 0.004]}),
    ],
)
def test_sound_expectations_pass(contrast, band):
    assert problems_of(claim_with(contrast, band)) == []


@pytest.mark.parametrize(
    ("contrast", "where", "message"),
    [
        ({"mean": "eror", "at": NET}, ("mean",), "no metric 'eror'; did you mean 'error'?"),
        ({"mean": "accuracy", "at": NET}, ("mean",), "no metric 'accuracy'; known here: error, loss"),
        ({"mean": "error", "at": {**NET, "arm": "nett"}}, ("at", "arm"), "no arm 'nett'; did you mean 'net'?"),
        ({"mean": "error", "at": {**NET, "widht": 4}}, ("at", "widht"), "no condition 'widht'; did you mean 'width'?"),
        ({"mean": "error", "at": {**NET, "width": 3}}, ("at", "width"), "no width 3; known here: 1, 2, 4"),
        (
            {"mean": "error", "at": {"arm": "net", "width": 4}},
            ("at",),
            "does not say which scene; add `scene:` with one of ['plain', 'clutter']",
        ),
        (
            {"mean": "error", "at": {"width": 4, "scene": "plain"}},
            ("at",),
            "does not say which arm; add `arm:` with one of ['net', 'svm']",
        ),
        (
            {"mean": "error", "at": {**NET, "width": [1, 2]}},
            ("at",),
            "a list of values and `take` (min, max or mean) go together",
        ),
        (
            {"mean": "error", "at": {**NET, "take": "min"}},
            ("at",),
            "a list of values and `take` (min, max or mean) go together",
        ),
        (
            {"mean": "error", "at": {**NET, "width": [1, 2], "take": "median"}},
            ("at", "take"),
            "is 'median'; give one of min, max, mean",
        ),
        (
            {"mean": "error", "at": {**NET, "width": [1, 1], "take": "min"}},
            ("at", "width"),
            "is [1, 1]; give at least one value, and each once",
        ),
        (
            {"mean": "error", "at": {**NET, "width": [], "take": "min"}},
            ("at", "width"),
            "is []; give at least one value, and each once",
        ),
        (
            {"exact": "error", "at": {"width": [1, 2], "take": "min"}},
            ("at", "take"),
            "`take` says nothing in `exact`, where every instance counts; leave it out",
        ),
        ({"slope": "loss", "over": "lr", "at": AT}, ("over",), "no condition 'lr'; known here: scene, width"),
        (
            {"slope": "loss", "over": "scene", "at": {"arm": "net", "width": 1}},
            ("over",),
            "condition 'scene' is not numeric; a slope or trend needs numbers",
        ),
        (
            {"slope": "loss", "over": "width", "at": AT, "values": [1, 3]},
            ("values",),
            "condition 'width' has no value 3; it has [1, 2, 4]",
        ),
        ({"slope": "loss", "over": "width", "at": NET}, ("at",), "fixes 'width', which is swept; leave it out"),
        (
            {"slope": "loss", "over": "width", "at": AT, "values": [2, 2]},
            ("values",),
            "sweeps 1 different values of 'width'; at least 2 are needed",
        ),
        (
            {"rank_trend": "loss", "over": "width", "at": AT, "values": [1, 2, 2]},
            ("values",),
            "sweeps 2 different values of 'width'; at least 3 are needed",
        ),
        (
            {"difference": "error", "of": NET, "minus": {"arm": "svm"}},
            ("minus",),
            "does not say which width; add `width:` with one of [1, 2, 4]",
        ),
        (
            {
                "interaction": "error",
                "of": {"arm": "svm", "width": 4},
                "minus": {"arm": "net", "width": 4},
                "here": {"scene": "clutter"},
                "there": {},
            },
            ("of",),
            "does not say which scene; add `scene:` with one of ['plain', 'clutter']",
        ),
        (
            {
                "interaction": "error",
                "of": {"arm": "svm", "width": 4},
                "minus": {"arm": "net", "width": 4},
                "here": {"scene": "cluter"},
                "there": {"scene": "plain"},
            },
            ("here", "scene"),
            "no scene 'cluter'; did you mean 'clutter'?",
        ),
    ],
)
def test_a_name_or_value_that_does_not_exist_or_is_left_out_is_refused(contrast, where, message):
    assert problems_of(claim_with(contrast))[0] == ((*C, *where), message)


@pytest.mark.parametrize(
    ("values", "contrast", "where", "message"),
    [
        (
            [0, 1, 2],
            {"loglog_slope": "loss", "over": "width"},
            "over",
            "condition 'width' takes the value 0; a log-log slope needs positive values",
        ),
        (
            [1],
            {"slope": "loss", "over": "width"},
            "over",
            "sweeps 1 different values of 'width'; at least 2 are needed",
        ),
        (
            [1, 2],
            {"rank_trend": "loss", "over": "width"},
            "over",
            "sweeps 2 different values of 'width'; at least 3 are needed",
        ),
        (
            [True, False],
            {"slope": "loss", "over": "width"},
            "over",
            "condition 'width' is not numeric; a slope or trend needs numbers",
        ),
        (
            [5e-324, 1e-323],
            {"slope": "loss", "over": "width"},
            "over",
            "a slope needs two different values of the condition, not [5e-324, 1e-323]",
        ),
    ],
)
def test_a_condition_over_which_there_is_no_slope_or_trend_is_refused(values, contrast, where, message):
    spec = claim_with({**contrast, "at": AT}, conditions={"width": values, "scene": ["plain"]})
    assert problems_of(spec) == [((*C, where), message)]


def test_all_problems_of_a_claim_come_at_once():
    contrast = {"difference": "eror", "of": {**NET, "arm": "x"}, "minus": {**NET, "width": 9}}
    assert [where for where, _ in problems_of(claim_with(contrast))] == [
        (*C, "difference"),
        (*C, "of", "arm"),
        (*C, "minus", "width"),
    ]


@pytest.mark.parametrize(
    ("change", "breaks", "where", "message"),
    [
        ({"depht": 1}, ["low_error"], ("change", "depht"), "no setting 'depht' to change; did you mean 'depth'?"),
        ({"depth": 1}, ["low_eror"], ("breaks", 0), "no expectation 'low_eror'; did you mean 'low_error'?"),
        ({"depth": 1}, ["low_error", "x"], ("breaks", 1), None),
    ],
)
def test_a_control_changes_settings_and_breaks_expectations_that_exist(change, breaks, where, message):
    (problem,) = problems_of(claim(controls={"c": {"change": change, "breaks": breaks, "because": "a reason"}}))
    assert problem[0] == ("controls", "c", *where)
    assert message in (None, problem[1])


@pytest.mark.parametrize("setting", ["depth", "kernel", "n_test", "width", "scene"])
def test_a_control_may_change_whatever_a_trial_is_given(setting):
    change = {"c": {"change": {setting: 1}, "breaks": ["low_error"], "because": "a reason"}}
    assert problems_of(claim(controls=change)) == []


def test_a_timed_arm_exists():
    assert problems_of(claim(timings={"training": ["net"], "inference": ["svm", "nett"]})) == [
        (("timings", "inference", 1), "no arm 'nett'; did you mean 'net'?")
    ]


def test_names_of_expectations_are_unique_over_the_readings():
    readings = sound()["readings"]
    readings["as_published"]["expectations"]["low_error"] = readings["as_published"]["expectations"].pop("never_wrong")
    assert problems_of(claim(readings=readings, controls={})) == [
        (
            ("readings", "as_published", "expectations", "low_error"),
            "the name 'low_error' also stands in reading 'as_documented'; give each expectation its own",
        )
    ]


@pytest.mark.parametrize(
    ("precision", "device", "words"),
    [
        ("float32", "cpu", None),
        ("float32", "cuda", "is 'cuda'; give cpu, or leave it out: the arm then runs where the run does"),
        (None, "cpu", "says nothing in a claim without `precision`, which runs on the processor; leave it out"),
    ],
)
def test_an_arm_can_stay_on_the_processor_and_say_nothing_else_of_its_device(precision, device, words):
    value = sound() | {"precision": precision}
    value["arms"]["net"]["device"] = device

    assert list(problems_of(claim(**value))) == ([(("arms", "net", "device"), words)] if words else [])


@pytest.mark.parametrize("name", ["arm", "seeds", "device", "precision", "take"])
@pytest.mark.parametrize("place", ["settings", "conditions", "arms", "profiles"])
def test_names_that_measure_uses_otherwise_are_refused(place, name):
    if (place, name) in (("profiles", "seeds"), ("arms", "device")):
        return
    value = sound()
    holder, where = {
        "settings": (value["settings"], ("settings",)),
        "conditions": (value["conditions"], ("conditions",)),
        "arms": (value["arms"]["net"], ("arms", "net")),
        "profiles": (value["profiles"]["quick"], ("profiles", "quick")),
    }[place]
    holder[name] = [1] if place == "conditions" else 1
    problems = [problem for problem in problems_of(claim(**value)) if "is taken" in problem[1]]
    assert problems == [((*where, name), f"the name {name!r} is taken ({names.RESERVED[name]}); choose another")]


@pytest.mark.parametrize(
    ("contrast"),
    [
        {"difference": "error", "of": NET, "minus": dict(NET)},
        {"difference": "error", "of": NET, "minus": {**NET, "width": 4.0}},
        {"difference": "error", "of": NET, "minus": {**NET, "width": [4], "take": "max"}},
        {"ratio": "error", "of": NET, "to": NET},
        {"interaction": "error", "of": AT, "minus": AT, "here": {"width": 1}, "there": {"width": 2}},
        {"interaction": "error", "of": AT, "minus": {**AT, "arm": "svm"}, "here": {"width": 1}, "there": {"width": 1}},
    ],
)
def test_a_cell_compared_with_itself_is_refused(contrast):
    assert (
        (*C,),
        "compares a cell with itself, so it is the same whatever is measured; name two cells",
    ) in problems_of(claim_with(contrast))


@pytest.mark.parametrize(
    ("contrast", "band", "message"),
    [
        (
            {"mean": "error", "at": NET},
            {"at_least": 1.2},
            "at least 1.2 can never be met: the contrast can only lie between 0 and 1; move the band",
        ),
        (
            {"mean": "error", "at": NET},
            {"at_most": -0.1},
            "at most -0.1 can never be met: the contrast can only lie between 0 and 1; move the band",
        ),
        (
            {"mean": "error", "at": NET},
            {"at_most": 0},
            "at most 0 can never be met: the contrast can only lie between 0 and 1; move the band",
        ),
        (
            {"mean": "error", "at": NET},
            {"at_least": 1},
            "at least 1 can never be met: the contrast can only lie between 0 and 1; move the band",
        ),
        (
            {"difference": "error", "of": NET, "minus": SVM},
            {"between": [1, 2]},
            "between 1 and 2 can never be met: the contrast can only lie between -1 and 1; move the band",
        ),
        (
            {"ratio": "error", "of": NET, "to": SVM},
            {"at_most": 0},
            "at most 0 can never be met: the contrast can only lie between 0 and inf; move the band",
        ),
        (
            {"ratio": "loss", "of": NET, "to": SVM},
            {"at_most": -1},
            "at most -1 can never be met: the contrast can only lie between 0 and inf; move the band",
        ),
        (
            {"rank_trend": "loss", "over": "width", "at": AT},
            {"at_least": 2},
            "at least 2 can never be met: the contrast can only lie between -1 and 1; move the band",
        ),
        (
            {"exact": "error"},
            {"at_least": 1.1},
            "at least 1.1 can never be met: the contrast can only lie between 0 and 1; move the band",
        ),
        (
            {"mean": "error", "at": NET},
            {"at_most": 1},
            "at most 1 can never be missed: the contrast can only lie between 0 and 1; such an expectation says nothing",
        ),
        (
            {"ratio": "loss", "of": NET, "to": SVM},
            {"at_least": 0},
            "at least 0 can never be missed: the contrast can only lie between 0 and inf; such an expectation says nothing",
        ),
        (
            {"exact": "error"},
            {"at_least": 0},
            "at least 0 can never be missed: the contrast can only lie between 0 and 1; such an expectation says nothing",
        ),
    ],
)
def test_a_band_that_cannot_be_met_or_cannot_be_missed_is_refused(contrast, band, message):
    assert ((*E, "band"), message) in problems_of(claim_with(contrast, band))


@pytest.mark.parametrize(("alpha", "cap", "needed"), [(0.001, 4, 5), (0.01, 3, 4), (1e-6, 7, 8), (1e-320, 150, 196)])
def test_a_cap_too_small_for_the_error_rate_is_refused(alpha, cap, needed):
    assert student.smallest_n(alpha) == needed
    spec = claim_with(
        {"mean": "loss", "at": NET},
        expectation={"alpha": alpha},
        profiles={"smoke": {"seeds": 1}, "quick": {"seeds": cap}},
    )
    assert problems_of(spec) == [
        (
            ("profiles", "quick", "seeds"),
            f"cap {cap} can never decide at alpha {alpha:g}; at least {needed} seeds are needed",
        )
    ]
    enough = claim_with(
        {"mean": "loss", "at": NET}, expectation={"alpha": alpha}, profiles={"quick": {"seeds": needed}}
    )
    assert problems_of(enough) == []


def test_the_strictest_error_rate_sets_the_cap():
    readings = sound()["readings"]
    expectations = readings["as_documented"]["expectations"]
    expectations["low_error"]["alpha"], expectations["net_beats_svm"]["alpha"] = 0.01, 1e-6
    ((where, message),) = problems_of(claim(readings=readings, profiles={"quick": {"seeds": 7}}))
    assert where == ("profiles", "quick", "seeds")
    assert message == "cap 7 can never decide at alpha 1e-06; at least 8 seeds are needed"


def test_an_exact_expectation_needs_one_seed():
    assert problems_of(claim_with({"exact": "error"}, {"at_most": 0}, profiles={"quick": {"seeds": 1}})) == []


def test_a_claim_without_a_profile_that_gives_verdicts_is_refused():
    assert problems_of(claim(profiles={"smoke": {"seeds": 2}})) == [
        (("profiles",), "only 'smoke', which gives no verdict; add one that does, such as `quick`")
    ]


@pytest.mark.parametrize(
    ("contrast", "band", "verb", "room"),
    [
        ({"mean": "error", "at": NET}, {"between": [0.5, 0.9]}, "met", "0.2"),
        ({"mean": "error", "at": NET}, {"at_most": 0.2}, "met", "0.2"),
        ({"mean": "error", "at": NET}, {"at_least": 0.8}, "met", "0.2"),
        ({"mean": "error", "at": NET}, {"at_most": 0.9}, "missed", "0.1"),
        ({"mean": "error", "at": NET}, {"between": [0.2, 0.95]}, "missed", "0.2"),
        ({"slope": "error", "over": "width", "at": AT}, {"at_least": 0.3}, "met", "0.0571"),
        ({"rank_trend": "loss", "over": "width", "at": AT}, {"at_least": 0.5}, "met", "0.5"),
        ({"rank_trend": "loss", "over": "width", "at": AT}, {"at_most": 0.9}, "missed", "0.1"),
    ],
)
def test_a_band_too_narrow_for_the_resolution_is_refused(contrast, band, verb, room):
    # Five seeds: 9.2 standard deviations of rounding error either way.
    metrics = {"error": {**FRACTION, "resolution": 0.1}, "loss": {"unit": "nat", "better": "lower"}}
    ((where, message),) = problems_of(claim_with(contrast, band, metrics=metrics, profiles={"quick": {"seeds": 5}}))
    assert where == (*E, "band")
    assert f"can never be seen to be {verb}: with this resolution and 5 seeds (profile 'quick')" in message
    assert message.endswith(f"and there is room for {room}; {REMEDY}")


def test_the_whole_sentence_about_a_band_too_narrow():
    spec = claim_with({"mean": "error", "at": NET}, {"between": [0.5, 0.51]})
    ((_, message),) = problems_of(spec.model_copy(update={"settings": {"n_test": 10}}))
    assert message == (
        "between 0.5 and 0.51 can never be seen to be met: with this resolution and 24 seeds (profile 'quick') the "
        f"interval reaches 0.0316 or more from its middle, and there is room for 0.005; {REMEDY}"
    )


def test_the_room_is_that_of_the_narrowest_interval_exactly():
    reach = student.resolution_floor(0.005) * student.half_width(24, 0.001)
    for room, sound_band in ((reach * 1.001, True), (reach * 0.999, False)):
        spec = claim_with({"mean": "error", "at": NET}, {"between": [0.5 - room, 0.5 + room]})
        assert (problems_of(spec) == []) is sound_band


def test_the_best_possible_trials_do_verify_what_is_let_through_and_not_what_is_refused():
    from harness.judging.verdict import VERIFIED, judge
    from tests.specimen import evidence_of, point

    reach = student.resolution_floor(0.005) * student.half_width(24, 0.001)
    for band in ({"at_most": reach}, {"at_most": 0.99 * reach}):
        spec = claim_with({"mean": "error", "at": NET}, band)
        best = judge(
            spec.expectations["e"],
            spec,
            evidence_of({point(): [0.0] * 24}),
            {"n_test": 200},
            spec.profiles["quick"].seeds,
        )
        assert (best.verdict == VERIFIED) is (problems_of(spec) == [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {}}, "is '1/n_test', but 'n_test' is None in profile 'smoke'; it must be a positive number"),
        (
            {"settings": {"n_test": 5e-324}},
            "is '1/n_test', but 'n_test' is 5e-324 in profile 'smoke'; it must be a positive number",
        ),
        (
            {"settings": {"n_test": 0}},
            "is '1/n_test', but 'n_test' is 0 in profile 'smoke'; it must be a positive number",
        ),
        (
            {"settings": {"n_test": "200"}},
            "is '1/n_test', but 'n_test' is '200' in profile 'smoke'; it must be a positive number",
        ),
        (
            {"settings": {"n_test": True}},
            "is '1/n_test', but 'n_test' is True in profile 'smoke'; it must be a positive number",
        ),
        (
            {"arms": {"net": {"n_test": 0}, "svm": {}}},
            "is '1/n_test', but 'n_test' is 0 in arm 'net'; it must be a positive number",
        ),
        (
            {"settings": {}, "arms": {"net": {"n_test": 9}, "svm": {}}},
            "is '1/n_test', but 'n_test' is None in profile 'smoke'; it must be a positive number",
        ),
        (
            {"settings": {}, "conditions": {"n_test": ["many"], "width": [1, 2, 4], "scene": ["plain"]}},
            "is '1/n_test', but 'n_test' is 'many' in condition 'n_test'; it must be a positive number",
        ),
        (
            {"controls": {"c": {"change": {"n_test": 0}, "breaks": ["e"], "because": "a reason"}}},
            "is '1/n_test', but 'n_test' is 0 in control 'c'; it must be a positive number",
        ),
    ],
)
def test_a_resolution_finds_one_positive_number_everywhere(changes, message):
    spec = claim_with({"mean": "loss", "at": NET}, **changes)
    assert problems_of(spec)[0] == (("metrics", "error", "resolution"), message)


def test_a_profiles_own_setting_wins_over_the_claims():
    spec = claim(profiles={"smoke": {"seeds": 2, "n_test": 10}, "quick": {"seeds": 24}})
    assert feasibility.settings_of(spec, spec.profiles["smoke"]) == {"n_test": 10}
    assert feasibility.settings_of(spec, spec.profiles["quick"]) == {"n_test": 200}


SCENES = {f"c{index}": list(range(10)) for index in range(40)}


@pytest.mark.parametrize(
    "contrast",
    [
        {"exact": "error"},
        {"mean": "error", "at": {"arm": "net", "width": 4, "scene": "plain", **SCENES, "take": "max"}},
        {
            "difference": "error",
            "of": {"arm": "net", "width": 4, "scene": "plain", **SCENES, "take": "max"},
            "minus": {"arm": "svm", "width": 4, "scene": "plain", **SCENES, "take": "min"},
        },
        {"rank_trend": "error", "over": "width", "at": {"arm": "net", "scene": "plain", **SCENES, "take": "max"}},
    ],
    ids=["exact", "mean", "difference", "rank_trend"],
)
def test_a_few_short_lists_that_multiply_to_more_points_than_there_are_atoms_are_refused(contrast):
    conditions = {**sound()["conditions"], **SCENES}
    spec = claim_with(contrast, conditions=conditions)
    assert problems_of(spec) == [
        (C, "with it the claim reads more than 10,000 points (an arm under a condition); name fewer values")
    ]


@pytest.mark.parametrize(("values", "refused"), [(1000, False), (1001, True)])
def test_the_points_of_all_expectations_count_together(monkeypatch, values, refused):
    # The first seven read 17; the exact one, for one arm, 3 widths times 2 scenes times the draws.
    monkeypatch.setattr(feasibility, "MOST_POINTS", 17 + 3 * 2 * 1000)
    spec = claim(conditions={**sound()["conditions"], "draw": list(range(values))})
    assert bool(list(feasibility._too_many(spec))) is refused


def test_of_very_many_problems_no_more_are_looked_for_than_are_told(monkeypatch):
    asked = []
    monkeypatch.setattr(names, "suggestion", lambda *_: asked.append(1) or "")
    spec = claim_with({"mean": "error", "at": {**NET, "width": list(range(100, 1100)), "take": "min"}})
    assert len(problems_of(spec)) == len(asked) == MOST_PROBLEMS + 1
