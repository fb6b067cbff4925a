"""The program under test, as a process."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import requests

BINARY = os.environ["SIGNET_BIN"]

# A run that hangs shall fail, not hang.
PATIENCE = 60


class Provider:
    """A running `signet dev`, and the folder of its records."""

    def __init__(self, folder: Path | None, *arguments: str):
        self.folder = folder
        place = ["--ephemeral"] if folder is None else ["--data", str(folder)]
        command = [BINARY, "dev", "--json", "--port", "0", *place, *arguments]
        with tempfile.TemporaryFile("w+") as said:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)
            line = self.process.stdout.readline()
            if not line:
                status = self.process.wait(PATIENCE)
                said.seek(0)
                raise AssertionError(f"signet dev ended with {status}: {said.read()[-2000:]}")
        self.ready = json.loads(line)
        self.issuer: str = self.ready["issuer"]
        self.demo: str = self.ready["demo"]
        self.metadata: dict = requests.get(self.ready["discovery"], timeout=PATIENCE).json()

    def client(self, client_id: str) -> dict:
        """A demo client with everything its owner holds."""
        return next(client for client in self.ready["clients"] if client["client_id"] == client_id)

    def jwks(self) -> list[dict]:
        """The keys as published now."""
        answer = requests.get(self.metadata["jwks_uri"], timeout=PATIENCE)
        assert answer.status_code == 200
        return answer.json()["keys"]

    def command(self, *arguments: str) -> str:
        """What a `signet` command says on the records of this provider while it runs."""
        command = [BINARY, *arguments, "--data", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def audit(self, client_id: str, kind: str) -> list[dict]:
        """What the audit tells of a client, newest first: the details of events of a kind."""
        events = json.loads(self.command("audit", "--json", f"--client={client_id}"))
        return [event["detail"] for event in events if event["kind"] == kind]

    def apply(self, declaration: dict) -> subprocess.CompletedProcess:
        """`signet apply` on the records of this provider while it runs."""
        file = self.folder / "declaration.json"
        file.write_text(json.dumps({"version": 1, **declaration}))
        command = [BINARY, "apply", "--json", "--data", str(self.folder), "--file", str(file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def declare(self, **declaration) -> None:
        """`apply` that must succeed."""
        done = self.apply(declaration)
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """Ends it as an operator does; it must say that it ended well."""
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
        self.process.stdout.close()

    def __enter__(self) -> "Provider":
        return self

    def __exit__(self, *_) -> None:
        self.stop()
