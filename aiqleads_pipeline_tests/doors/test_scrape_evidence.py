"""The evidence of a crawl: kept once under its hash, told when it is damaged."""

from __future__ import annotations

import gzip
import hashlib

import pytest

from resources.evidence import Evidence, EvidenceMissing


@pytest.fixture
def evidence(tmp_path):
    return Evidence(str(tmp_path / "bucket"))


def test_evidence_is_kept_once_under_its_hash(evidence, tmp_path):
    content = b"<p>said</p>" * 1000
    assert evidence.keep(content) == evidence.keep(content) == hashlib.sha256(content).hexdigest()
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.stat().st_size < len(content) / 10
    assert evidence.read(hashlib.sha256(content).hexdigest()) == content


def test_evidence_that_is_gone_or_damaged_is_told(evidence, tmp_path):
    sha256 = evidence.keep(b"said")
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    for damage in (gzip.compress(b"something else"), b"no gzip", b"", file.read_bytes()[:-4]):
        file.write_bytes(damage)
        with pytest.raises(EvidenceMissing):
            evidence.read(sha256)
    with pytest.raises(EvidenceMissing):
        evidence.read("0" * 64)
