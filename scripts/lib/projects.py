"""The real projects that the demo and the end-to-end tests build: where their source comes from and how
CMake is told to build them. Nothing of them is in this repository; what is fetched is kept in .deps/."""

import base64
import hashlib
import json
import shlex
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from stages import TOP, StageFailed, run

RE2_VERSION = '1.24.0'
RE2_SHA512 = 'pBm6cMaOb0Yb0kg0Sfw/k4LwDMkPScb/NVd7GrEllDwfsPZstsZIo93A6Nn0wZuWJw3h57GdzkrOk81EofKY/g=='


@dataclass
class Project:
    name: str
    source: Path
    options: list


def fetch_re2():
    """The folder vendor/ of the npm package "re2", which holds abseil and RE2; fetched once, checked by
    digest."""
    package = TOP / '.deps' / f're2-{RE2_VERSION}'
    if not (package / '.complete').exists():
        shutil.rmtree(package, ignore_errors=True)
        package.mkdir(parents=True)
        run(['npm', 'pack', f're2@{RE2_VERSION}', '--pack-destination', package], 'fetch-re2', timeout=300)
        archive = package / f're2-{RE2_VERSION}.tgz'
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != RE2_SHA512:
            raise StageFailed(f'{archive} is not the package this script knows: sha512-{digest}')
        with tarfile.open(archive) as tar:
            tar.extractall(
                package,
                members=[
                    m
                    for m in tar
                    if m.isreg() and '..' not in Path(m.name).parts and not m.name.startswith('/')
                ],
            )
        archive.unlink()
        (package / '.complete').touch()
    return package / 'package' / 'vendor'


def all_projects():
    vendor = fetch_re2()
    return [
        Project('abseil + RE2', TOP / 'tests' / 'e2e' / 'projects' / 're2', [f'-DVENDOR={vendor}']),
        Project(
            'googletest', Path('/usr/src/googletest'), ['-Dgtest_build_tests=ON', '-Dgmock_build_tests=ON']
        ),
    ]


def slug(project):
    return ''.join(c if c.isalnum() else '-' for c in project.name.lower()).replace('---', '-')


def configure(project, folder, options, launcher=None, env=None):
    """Runs CMake in `folder`; returns the objects that the build will compile, by their path in it."""
    command = [
        'cmake',
        '-G',
        'Ninja',
        '-S',
        project.source,
        '-B',
        folder,
        '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON',
        *project.options,
        *options,
    ]
    if launcher:
        command += [f'-DCMAKE_C_COMPILER_LAUNCHER={launcher}', f'-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}']
    run(command, f'configure-{slug(project)}', env=env)
    commands = json.loads((folder / 'compile_commands.json').read_text())
    words = [shlex.split(entry['command']) for entry in commands]
    return [command[command.index('-o') + 1] for command in words]
