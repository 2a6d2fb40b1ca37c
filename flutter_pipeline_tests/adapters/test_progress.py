from flutter_pipeline.adapters import progress
from flutter_pipeline.adapters.progress import progress_bar


def test_short_work_shows_nothing(capsys):
    report = progress_bar("cleaning")
    for done in (10, 50, 100):
        report(done, 100)
    assert capsys.readouterr() == ("", "")


def test_long_work_shows_its_name_unit_and_share_on_stderr_only(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 0)
    monkeypatch.setattr(progress, "LOG_EVERY_SECONDS", 0)
    report = progress_bar("past candidates", "days")
    report(1, 4)
    report(2, 4)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "past candidates" in shown.err and "2/4" in shown.err and "days" in shown.err


def test_one_callback_serves_work_that_starts_again(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 0)
    monkeypatch.setattr(progress, "LOG_EVERY_SECONDS", 0)
    report = progress_bar("bert")
    report(2, 2)
    capsys.readouterr()
    report(1, 7)
    assert "1/7" in capsys.readouterr().err


def test_work_of_nothing_is_done_at_once(capsys):
    progress_bar("intake", "bytes")(0, 0)
    assert capsys.readouterr().out == ""
