"""Certificates for servers on the loopback: an authority of our own, and whom it does not know."""
import os
import shutil
import ssl
import subprocess

from scenario import Skip


def certificates(home):
    """Files: ca.pem signs right.pem (for 127.0.0.1) and name.pem (for another name); other.pem is a
    stranger. The .key files belong to them."""
    if not shutil.which("openssl"):
        raise Skip("there is no openssl")

    def run(*words):
        subprocess.run(["openssl", *words], cwd=home, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name in ("ca", "other"):
        run("req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
            "-subj", f"/CN=carved test {name}")
    for name, san in (("right", "IP:127.0.0.1"), ("name", "DNS:elsewhere.example")):
        run("req", "-x509", *key, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", f"{name}.key", "-out",
            f"{name}.pem", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={san}",
            "-addext", "basicConstraints=critical,CA:FALSE")


def context(home, name):
    """What a server needs to show that certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(os.path.join(home, f"{name}.pem"), os.path.join(home, f"{name}.key"))
    return made
