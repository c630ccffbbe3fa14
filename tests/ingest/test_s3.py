from pathlib import Path
from support.s3 import Bucket, S3
from support.event_files import event_file, scalar_event
from orgboard_ingest.commands import ingest, verify


def test_x(s3_bucket: Bucket, tmp_path: Path, capsys) -> None:
    s3_bucket.put(
        "logs/run/events.out.tfevents.1",
        event_file(*(scalar_event("a", s, 1.0, 1.0 + s) for s in range(50))),
    )
    db = str(tmp_path / "b.db")
    assert ingest([s3_bucket.url("logs"), "--db", db, "--once"]) == 0
    for a in s3_bucket.server.asked():
        print(a)
    assert verify([s3_bucket.url("logs"), "--db", db]) == 0
    for a in s3_bucket.server.asked():
        print(a)
