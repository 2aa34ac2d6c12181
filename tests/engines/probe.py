"""A small client of the Remote Execution API that owes nothing to the product's: what it says about an engine
can be held against what the product says. Runs with the Python of BuildGrid's environment, and prints JSON.

probe.py --endpoint ADDRESS --instance NAME [--ca FILE [--cert FILE --key FILE]] [--token FILE] COMMAND
  wait            until the server tells its capabilities
  worker          until a worker has run something
  capabilities
  run             one action, see its --help; outputs go to --into
  results         how many of the action digests on standard input the action cache has
  missing         which of the digests on standard input (HASH/SIZE) the storage lacks
  bench           many actions, many at a time
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import uuid

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as api
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as stubs
from buildgrid._protos.google.bytestream import bytestream_pb2 as bytestream
from buildgrid._protos.google.bytestream import bytestream_pb2_grpc as bytestream_stubs
from google.protobuf import json_format

METADATA = 'build.bazel.remote.execution.v2.requestmetadata-bin'
BATCH_BYTES = 3 << 20
PLATFORM = [('ISA', 'x86-64'), ('OSFamily', 'linux')]


def digest_of(data):
    return api.Digest(hash=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


def parse_digest(text):
    name, _, size = text.partition('/')
    return api.Digest(hash=name, size_bytes=int(size or 0))


class Blobs(dict):
    """Content by hash, to be uploaded."""

    def add(self, data):
        digest = digest_of(data)
        self[digest.hash] = data
        return digest

    def add_message(self, message):
        return self.add(message.SerializeToString(deterministic=True))


def add_tree(blobs, files, links=(), folders=()):
    """files: {path: (content, executable)}, links: {path: target}. Returns the root's digest."""
    root = {}

    def at(parts):
        node = root
        for part in parts:
            node = node.setdefault(part, {})
        return node

    for path, value in [*files.items(), *dict(links).items()]:
        *parents, name = path.split('/')
        at(parents)[name] = value
    for path in folders:
        at(part for part in path.split('/') if part)

    def build(node):
        directory = api.Directory()
        for name in sorted(node):
            value = node[name]
            if isinstance(value, dict):
                directory.directories.add(name=name, digest=build(value))
            elif isinstance(value, str):
                directory.symlinks.add(name=name, target=value)
            else:
                directory.files.add(name=name, digest=blobs.add(value[0]), is_executable=value[1])
        return blobs.add_message(directory)

    return build(root)


def add_action(blobs, argv, root, env=(), outputs=(), cwd='', platform=PLATFORM, salt=b'', no_cache=False):
    properties = [api.Platform.Property(name=n, value=v) for n, v in sorted(platform)]
    wanted = api.Platform(properties=properties) if properties else None
    variables = [api.Command.EnvironmentVariable(name=n, value=v) for n, v in sorted(dict(env).items())]
    command = api.Command(
        arguments=argv,
        environment_variables=variables,
        output_paths=sorted(set(outputs)),
        working_directory=cwd,
        platform=wanted,
    )
    action = api.Action(
        command_digest=blobs.add_message(command),
        input_root_digest=root,
        do_not_cache=no_cache,
        salt=salt,
        platform=wanted,
    )
    return blobs.add_message(action)


class Client:
    def __init__(self, arguments):
        self.instance = arguments.instance
        build = api.RequestMetadata(tool_invocation_id=str(uuid.uuid4()))
        self.metadata = [(METADATA, build.SerializeToString())]
        if arguments.token:
            with open(arguments.token) as file:
                self.metadata.append(('authorization', f'Bearer {file.read().strip()}'))
        address = arguments.endpoint.replace('grpcs://', '').replace('grpc://', '')
        # A channel of its own for each client, and one that tries again at once when nobody listens yet.
        options = [
            ('grpc.max_receive_message_length', 256 << 20),
            ('grpc.use_local_subchannel_pool', 1),
            ('grpc.max_reconnect_backoff_ms', 100),
            ('grpc.initial_reconnect_backoff_ms', 100),
            ('grpc.enable_http_proxy', 0),
        ]
        if arguments.ca:
            words = [_read(arguments.ca), _read(arguments.key), _read(arguments.cert)]
            channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(*words), options)
        else:
            channel = grpc.insecure_channel(address, options)
        self.capabilities_stub = stubs.CapabilitiesStub(channel)
        self.storage = stubs.ContentAddressableStorageStub(channel)
        self.results = stubs.ActionCacheStub(channel)
        self.execution = stubs.ExecutionStub(channel)
        self.bytes = bytestream_stubs.ByteStreamStub(channel)

    def call(self, method, request, limit=60):
        return method(request, timeout=limit, metadata=self.metadata)

    def capabilities(self, limit=5):
        request = api.GetCapabilitiesRequest(instance_name=self.instance)
        return self.call(self.capabilities_stub.GetCapabilities, request, limit)

    def missing(self, digests):
        found = []
        for at in range(0, len(digests), 1000):
            request = api.FindMissingBlobsRequest(
                instance_name=self.instance, blob_digests=digests[at : at + 1000]
            )
            found += self.call(self.storage.FindMissingBlobs, request).missing_blob_digests
        return found

    def upload(self, blobs):
        batch, size = [], 0
        for digest in self.missing([digest_of(data) for data in blobs.values() if data]):
            data = blobs[digest.hash]
            if len(data) > 1 << 20:
                self.write(digest, data)
                continue
            if size + len(data) > BATCH_BYTES:
                self.send(batch)
                batch, size = [], 0
            batch.append(api.BatchUpdateBlobsRequest.Request(digest=digest, data=data))
            size += len(data) + 200
        if batch:
            self.send(batch)

    def send_all(self, contents):
        """Without asking what is there."""
        one = api.BatchUpdateBlobsRequest.Request
        self.send([one(digest=digest_of(data), data=data) for data in contents])

    def read_all(self, digests):
        request = api.BatchReadBlobsRequest(instance_name=self.instance, digests=digests)
        for answer in self.call(self.storage.BatchReadBlobs, request).responses:
            if answer.status.code or digest_of(answer.data) != answer.digest:
                raise RuntimeError(f'{answer.digest.hash}: {answer.status}')

    def send(self, batch):
        request = api.BatchUpdateBlobsRequest(instance_name=self.instance, requests=batch)
        for answer in self.call(self.storage.BatchUpdateBlobs, request, 120).responses:
            if answer.status.code:
                raise RuntimeError(f'{answer.digest.hash}: {answer.status}')

    def resource(self, *parts):
        return '/'.join([*([self.instance] if self.instance else []), *map(str, parts)])

    def write(self, digest, data, piece=1 << 19):
        name = self.resource('uploads', uuid.uuid4(), 'blobs', digest.hash, digest.size_bytes)
        pieces = (
            bytestream.WriteRequest(
                resource_name=name,
                write_offset=at,
                data=data[at : at + piece],
                finish_write=at + piece >= len(data),
            )
            for at in range(0, len(data), piece)
        )
        self.call(self.bytes.Write, pieces, 120)

    def read(self, digest):
        if digest.size_bytes == 0:
            return b''
        request = bytestream.ReadRequest(
            resource_name=self.resource('blobs', digest.hash, digest.size_bytes)
        )
        data = b''.join(answer.data for answer in self.call(self.bytes.Read, request, 120))
        if digest_of(data) != digest:
            raise RuntimeError(f'{digest.hash}: other bytes came')
        return data

    def execute(self, action, skip_cache=False, limit=None):
        request = api.ExecuteRequest(
            instance_name=self.instance, action_digest=action, skip_cache_lookup=skip_cache
        )
        last = None
        for last in self.call(self.execution.Execute, request, limit):
            pass
        if last is None or not last.done:
            raise RuntimeError('the stream ended before the action')
        answer = api.ExecuteResponse()
        last.response.Unpack(answer)
        return answer

    def has_result(self, action):
        request = api.GetActionResultRequest(instance_name=self.instance, action_digest=action)
        try:
            self.call(self.results.GetActionResult, request)
            return True
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return False
            raise


def _read(path):
    if not path:
        return None
    with open(path, 'rb') as file:
        return file.read()


def until(limit, attempt):
    """Tries until it works; only what a server that is coming up says is tried again."""
    end = time.monotonic() + limit
    while True:
        try:
            return attempt(max(1, end - time.monotonic()))
        except grpc.RpcError as error:
            again = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
            if not again or time.monotonic() > end:
                raise
        time.sleep(0.05)


def wait(client, arguments):
    until(arguments.limit, lambda left: client.capabilities(min(2, left)))
    return {}


def worker(client, arguments):
    blobs = Blobs()
    action = add_action(blobs, ['/bin/true'], add_tree(blobs, {}), salt=os.urandom(8), no_cache=True)

    def attempt(left):
        client.upload(blobs)
        return client.execute(action, limit=left)

    answer = until(arguments.limit, attempt)
    # A runner with an empty root has no /bin/true; that it says so is enough.
    return {'status': answer.status.code, 'exit_code': answer.result.exit_code}


def capabilities(client, _):
    return json_format.MessageToDict(client.capabilities())


def _collect(arguments):
    files, links = {}, {}
    for word in arguments.input:
        local, _, remote = word.partition(':')
        remote = (remote or local).lstrip('/')
        files[remote] = (_read(local), os.access(local, os.X_OK))
    for word in arguments.link:
        path, _, target = word.partition('=')
        links[path.lstrip('/')] = target
    return files, links


def run(client, arguments):
    blobs = Blobs()
    files, links = _collect(arguments)
    if arguments.toolchain:
        more_files, more_links = toolchain(arguments.toolchain, arguments.source)
        files, links = {**more_files, **files}, {**more_links, **links}
    folders = [arguments.cwd] if arguments.cwd else []
    env = dict(word.split('=', 1) for word in arguments.env)
    root = add_tree(blobs, files, links, folders)
    action = add_action(blobs, arguments.argv, root, env, arguments.output, arguments.cwd)
    client.upload(blobs)
    answer = client.execute(action, arguments.skip_cache, limit=arguments.limit)
    result = answer.result
    for file in result.output_files:
        with open(os.path.join(arguments.into, os.path.basename(file.path)), 'wb') as out:
            out.write(client.read(file.digest))
    digests = (result.stdout_digest, result.stderr_digest)
    text = [client.read(digest).decode('utf-8', 'replace') for digest in digests]
    return {
        'action': f'{action.hash}/{action.size_bytes}',
        'status': answer.status.code,
        'message': answer.status.message,
        'exit_code': result.exit_code,
        'cached': answer.cached_result,
        'stdout': text[0],
        'stderr': text[1],
        'outputs': [file.path for file in result.output_files],
    }


def toolchain(compiler, source):
    """What a compile needs where the input root is the root: the driver with its chain of symlinks, the
    programs that it starts, their libraries and loader, crtbegin.o by which clang finds headers, and the
    headers."""
    files, links = {}, {}

    def add(path):
        files[os.path.normpath(path).lstrip('/')] = (_read(path), os.access(path, os.X_OK))

    def add_program(path):
        add(path)
        listed = subprocess.run(['ldd', path], capture_output=True, text=True).stdout
        for word in listed.split():
            if word.startswith('/'):
                add(word)

    def ask(*words):
        return subprocess.run([compiler, *words], capture_output=True, text=True, check=True).stdout.strip()

    driver = shutil.which(compiler)
    while os.path.islink(driver):
        # Relative, since absolute targets are not allowed everywhere.
        target = os.path.normpath(os.path.join(os.path.dirname(driver), os.readlink(driver)))
        links[driver.lstrip('/')] = os.path.relpath(target, os.path.dirname(driver))
        driver = target
    add_program(driver)
    for name in ('cc1', 'cc1plus', 'as'):
        found = shutil.which(ask(f'-print-prog-name={name}'))
        if found:
            add_program(found)
    add(ask('-print-file-name=crtbegin.o'))
    for word in ask('-M', source).replace('\\\n', ' ').split():
        if word.startswith('/'):
            add(word)
    return files, links


def results(client, _):
    return sum(client.has_result(parse_digest(line.strip())) for line in sys.stdin)


def missing(client, _):
    found = client.missing([parse_digest(line.strip()) for line in sys.stdin])
    return [f'{digest.hash}/{digest.size_bytes}' for digest in found]


def bench(client, arguments):
    """What the engine and the machine can do, to be compared with what the product needs."""
    blobs, run_id = Blobs(), os.urandom(8)
    root = add_tree(blobs, {})
    # As it stands, it is a compile to the waiting runner and a command that works to others.
    argv, outputs = (arguments.argv, []) if arguments.argv else (['/bin/true'], ['x.o'])
    if arguments.whole:
        outputs = [*outputs, 'x.d']
    actions = []
    for number in range(arguments.actions):
        own = Blobs()
        salt = run_id + number.to_bytes(4, 'big')
        actions.append((add_action(own, argv, root, outputs=outputs, salt=salt), own))
        if not arguments.whole:
            blobs.update(own)
    random.shuffle(actions)
    client.upload(blobs)
    clients = [client] + [Client(arguments) for _ in range(arguments.channels - 1)]
    taken, failed, lock = [], [], threading.Lock()

    def work(own):
        while True:
            with lock:
                if not actions:
                    return
                action, messages = actions.pop()
            began = time.monotonic()
            try:
                if arguments.whole:
                    own.has_result(action)
                    own.send_all(messages.values())
                answer = own.execute(action, limit=arguments.limit)
                if arguments.whole:
                    own.read_all([file.digest for file in answer.result.output_files])
                bad = answer.status.code or answer.result.exit_code
            except grpc.RpcError as error:
                bad = str(error.code())
            with lock:
                (failed if bad else taken).append(time.monotonic() - began)

    began, cpu = time.monotonic(), time.process_time()
    threads = [
        threading.Thread(target=work, args=(clients[number % len(clients)],))
        for number in range(arguments.parallel)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    taken.sort()
    return {
        'actions': len(taken),
        'failed': len(failed),
        'seconds': round(seconds, 3),
        'per_second': round(len(taken) / seconds, 1),
        'median': round(taken[len(taken) // 2], 3) if taken else None,
        'client_cpu': round(time.process_time() - cpu, 3),
    }


def parse(argv):
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument('--endpoint', required=True)
    parser.add_argument('--instance', default='')
    for name in ('ca', 'cert', 'key', 'token'):
        parser.add_argument(f'--{name}', metavar='FILE')
    commands = parser.add_subparsers(dest='command', required=True)
    for command in (wait, worker, capabilities, run, results, missing, bench):
        one = commands.add_parser(command.__name__)
        one.set_defaults(function=command)
        one.add_argument('--limit', type=float, default=60, metavar='SECONDS')
        if command is run:
            for name in ('input', 'link', 'env', 'output'):
                one.add_argument(f'--{name}', action='append', default=[])
            one.add_argument('--toolchain', metavar='COMPILER', help='send it along, for an empty root')
            one.add_argument('--source', metavar='FILE', help='whose system headers to send with it')
            one.add_argument('--cwd', default='')
            one.add_argument('--into', default='.')
            one.add_argument('--skip-cache', action='store_true')
        if command is bench:
            one.add_argument('--whole', action='store_true', help='look up, send, execute and read each')
            one.add_argument('--actions', type=int, default=200)
            one.add_argument('--parallel', type=int, default=16)
            one.add_argument('--channels', type=int, default=1)
        if command in (run, bench):
            one.add_argument('argv', nargs='*')
    return parser.parse_args(argv)


def main(argv):
    arguments = parse(argv)
    try:
        print(json.dumps(arguments.function(Client(arguments), arguments)))
    except grpc.RpcError as error:
        print(f'{error.code().name}: {error.details()}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
