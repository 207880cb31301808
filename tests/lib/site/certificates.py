"""A certificate authority of our own, and a server certificate from it."""
from pathlib import Path

from .process import must_run

DAYS = 30


def _new_key(path: Path):
    must_run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path])


class Authority:
    def __init__(self, folder: Path, name="Test authority"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "ca.crt"
        self._key = folder / "ca.key"
        _new_key(self._key)
        must_run(["openssl", "req", "-x509", "-new", "-key", self._key, "-out", self.certificate, "-days", DAYS,
                  "-subj", f"/CN={name}"])

    def sign(self, names, file_name):
        """(certificate, key) for these host names; the certificate file ends with the authority's."""
        key, request, certificate, extra = (self.folder / f"{file_name}.{end}" for end in ("key", "csr", "crt", "ext"))
        extra.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\n")
        _new_key(key)
        must_run(["openssl", "req", "-new", "-key", key, "-out", request, "-subj", f"/CN={names[0]}"])
        must_run(["openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                  "-CAcreateserial", "-days", DAYS, "-extfile", extra, "-out", certificate])
        certificate.write_text(certificate.read_text() + self.certificate.read_text())
        return certificate, key
