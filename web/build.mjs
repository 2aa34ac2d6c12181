// Builds the status page into one C++ source: installs the pinned packages, checks the types, bundles, gzips,
// and writes the bytes as an array. The build system lists every file that is read here as an input, so the
// program is compiled again when the page changes.
//
//   node build.mjs WORK_FOLDER OUTPUT.cc INPUT...
//
// Only the inputs that are named are copied and seen, so one that the build system does not know of fails the
// build instead of going stale. The packages are installed into WORK_FOLDER, never beside the sources, and only when the lock file changed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const source = dirname(fileURLToPath(import.meta.url));
const [work, output, ...inputs] = process.argv.slice(2).map((path) => resolve(path));

// Runs a program and shows what it printed only when it failed.
function run(what, program, args) {
  try {
    execFileSync(program, args, { cwd: work, stdio: 'pipe' });
  } catch (error) {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}`);
    process.stderr.write(`The status page could not be built: ${what} failed.`);
    process.stderr.write(' Configure with -Dweb=disabled to build without it.\n');
    process.exit(1);
  }
}

function install() {
  const lock = readFileSync(join(work, 'package-lock.json'));
  const stamp = join(work, 'installed');
  const wanted = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(stamp, { force: true });
  run('npm ci', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']);
  writeFileSync(stamp, wanted);
}

function prepare() {
  mkdirSync(work, { recursive: true });
  rmSync(join(work, 'src'), { recursive: true, force: true });
  for (const input of inputs) {
    const copy = join(work, relative(source, input));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(input, copy);
  }
}

async function bundle() {
  const esbuild = await import(pathToFileURL(join(work, 'node_modules/esbuild/lib/main.js')).href);
  const result = await esbuild.build({
    absWorkingDir: work,
    entryPoints: ['src/app.tsx', 'src/app.css'],
    outdir: 'out',
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
  });
  const files = new Map(result.outputFiles.map((file) => [file.path.split('/').pop(), file.contents]));
  files.set('icon.svg', readFileSync(join(work, 'src/icon.svg')));
  return files;
}

const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };

function as_cpp(files) {
  const arrays = [];
  const entries = [];
  for (const [name, contents] of [...files].sort()) {
    // Level 9 without a time stamp: the same page is always the same bytes.
    const bytes = gzipSync(contents, { level: 9 });
    bytes[9] = 255;
    const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    const variable = `k_${name.replace(/\W/g, '_')}`;
    const lines = [];
    for (let i = 0; i < bytes.length; i += 24) lines.push([...bytes.subarray(i, i + 24)].join(','));
    arrays.push(`const unsigned char ${variable}[] = {\n${lines.join(',\n')}};`);
    entries.push(
      `    {"/static/${name}", "${TYPES[name.split('.').pop()]}", "\\"${etag}\\"",\n` +
        `     {reinterpret_cast<const char*>(${variable}), sizeof ${variable}}},`,
    );
  }
  return `// Made by web/build.mjs.
#include "serve/page_files.h"

namespace serve {
namespace {
${arrays.join('\n')}
}  // namespace

const PageFile kPageFiles[] = {
${entries.join('\n')}
};
const std::size_t kPageFileCount = sizeof kPageFiles / sizeof kPageFiles[0];

}  // namespace serve
`;
}

prepare();
install();
run('the type check', process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit']);
writeFileSync(output, as_cpp(await bundle()));
