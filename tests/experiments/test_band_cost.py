from experiments.simulator_speed import band


def test_both_bands_of_both_commands_are_in_the_table(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFTEM_CACHE", str(tmp_path))
    assert band.main(["--smoke", "--repeats", "1"]) == 0
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in capsys.readouterr().out.splitlines()[2:]
    ]
    assert [row[2] for row in rows] == ["fast", "full"] * 2
    assert [float(row[3]) for row in rows] == [12.0, 8.0, 18.0, 12.0]  # 3 and 2 pixels
    assert all(float(row[5]) > 0 for row in rows)
