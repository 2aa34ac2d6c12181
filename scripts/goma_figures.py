"""What the daemon's status says, as lines for people. Used by goma_ctl.py; no program of its own."""


def backend_facts(backend, now_ms):
    yield 'HTTP cache' if backend['kind'] == 'http' else 'endpoint', backend['address']
    if backend['breaker'] == 'closed':
        micros = backend['latency_us']
        latency = f'answers in {time_text(micros)}' if micros else 'not asked yet'
        rights = ', '.join(name for name, granted in backend['rights'].items() if granted)
        yield '', f'{latency}; rights: {rights or "none"}'
    else:
        wait = max(0, backend['open_until_ms'] - now_ms) * 1000
        yield '', f'does not answer; asked again in {time_text(wait)}'
    for key in ('last_error', 'refusal', 'warning'):
        if backend[key]:
            yield '', f'{key.replace("_", " ")}: {backend[key]}'


def credential_text(credentials, now_ms):
    if not credentials['configured']:
        return 'none configured'
    text = credentials['source']
    if credentials['expires_ms']:
        left = credentials['expires_ms'] - now_ms
        text += f', expire in {time_text(left * 1000)}' if left > 0 else ', have expired'
    return text + (f': {credentials["problem"]}' if credentials['problem'] else '')


def remote_facts(now):
    """Name and text of each line about the remote side; nothing where there is none."""
    remote = now['remote']
    if not remote['backends'] and not remote['because']:
        return
    yield 'mode', remote['mode'] + (f' ({remote["because"]})' if remote['because'] else '')
    for backend in remote['backends']:
        yield from backend_facts(backend, now['now_ms'])
    yield 'credentials', credential_text(remote['credentials'], now['now_ms'])
    yield 'in flight', f'{remote["in_flight"]} of {remote["limit"]}, {remote["waiting"]} waiting'
    if remote['service']:
        words = (remote['service']['state'], remote['service']['text'], remote['service']['uptime'])
        yield 'service', ', '.join(word for word in words if word)


def size_text(count):
    for unit in ('B', 'KiB', 'MiB', 'GiB', 'TiB'):
        if count < 1024 or unit == 'TiB':
            return f'{count:.1f} {unit}' if unit != 'B' else f'{count} B'
        count /= 1024


def time_text(micros):
    seconds = micros / 1e6
    if 0 < micros < 1e5:
        return f'{micros / 1e3:.1f} ms'
    if seconds < 60:
        return f'{seconds:.1f} s'
    return f'{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min' if seconds >= 3600 else (
        f'{int(seconds // 60)} min {int(seconds % 60)} s'
    )


def share(part, whole):
    return f'{part} / {whole}' + (f' ({100 * part / whole:.2f} %)' if whole else '')


def print_stat(now, verbose):
    tasks, results, store = now['tasks'], now['results'], now['store']
    print(f'Tasks:             {tasks["ended"]} ended, {tasks["active"]} running')
    print(f'Cacheable:         {share(tasks["cacheable"], tasks["ended"])}')
    print(f'  Hits:            {share(tasks["hits"], tasks["cacheable"])}')
    print(f'    Local:         {share(results["local_hit"], tasks["hits"])}')
    print(f'    Remote:        {share(results["remote_hit"], tasks["hits"])}')
    print(f'  Misses:          {share(tasks["cacheable"] - tasks["hits"], tasks["cacheable"])}')
    if results['remote_exec']:
        print(f'    On cluster:    {share(results["remote_exec"], tasks["cacheable"] - tasks["hits"])}')
    print(f'Not cacheable:     {share(results["passthrough"], tasks["ended"])}')
    print(f'Failed:            {share(results["failed"], tasks["ended"])}')
    print(f'Saved:             {time_text(tasks["saved_us"])} of processor time')
    if store:
        print(f'Cache:             {size_text(store["bytes"])} of {size_text(store["limit_bytes"])}')
        if store['last_error']:
            print(f'  Cannot be written: {store["last_error"]}')
    remote = now['remote']
    if remote['backends']:
        received = sum(backend['received_bytes'] for backend in remote['backends'])
        sent = sum(backend['sent_bytes'] for backend in remote['backends'])
        print(f'Remote:            {remote["mode"]}, {size_text(received)} down, {size_text(sent)} up')
        races = sum(remote['races'].values())
        if races:
            print(f'  Races won:       {share(remote["races"]["remote"], races)} by the cluster')
    if tasks['mismatches']:
        print(f'Scan mismatches:   {tasks["mismatches"]}')
    if not verbose:
        return
    for title, counts, text in (
        ('Reasons why not cached:', now['reasons'], str),
        ('Time by phase:', now['phases_us'], time_text),
    ):
        print(title)
        for name, count in sorted(counts.items(), key=lambda item: -item[1]):
            print(f'  {name.replace("_", " "):<32} {text(count):>12}')
