"""Verdicts, controls and timings of this claim; what is claimed stands in claim.yaml."""


def test_reading(claim, reading):
    claim.check_reading(reading)


def test_control(claim, control):
    claim.check_control(control)
