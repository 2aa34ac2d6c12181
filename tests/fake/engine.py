"""The fake engine as a process of its own: tests/tools/fake_engine.cc."""

import json
import os
import subprocess
import tempfile


class FakeEngine:
    """Up as soon as it exists. `build`: the build folder; `reads`: what every compile reads besides its
    source; `gather`: so many actions wait for each other at first."""

    def __init__(self, build, reads=(), gather=0):
        program = os.path.join(build, 'tests', 'tools', 'fake_engine')
        with tempfile.NamedTemporaryFile('w', suffix='.reads', delete=False) as file:
            file.write(''.join(f'{name}\n' for name in reads))
        self.reads = file.name
        self.process = subprocess.Popen(
            [program, file.name, str(gather)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.endpoint = self.process.stdout.readline().strip()

    def ask(self, seconds):
        """From now on an action takes so long. Returns what happened since it was asked last: `executed`, and
        `most_at_once`."""
        self.process.stdin.write(f'{seconds}\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
        os.unlink(self.reads)
