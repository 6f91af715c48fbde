import { ensureBuilt } from './build.js'
import { ensureInstalled } from './install.js'
import { ensurePrograms } from './programs.js'
import { root, run, runScript, say } from './tools.js'

const HELP = `Usage: npm run bench -- [options]

  --quick            about 8 minutes instead of an hour; writes to .build/bench
  --only <question>  overhead, engines, growth, parts, scale-out,
                     near-cache (may be repeated)
  --resume           leaves out what was measured since src changed
  --report           measures nothing: writes docs from bench/results
  --to <folder>      writes results and documents there

Figures are to be compared only if the machine does nothing else meanwhile.`

const PROGRAMS = ['redis-server', 'memcached', 'postgresql']

await runScript(async () => {
  const args = process.argv.slice(2)
  if (args.includes('--help')) return say(HELP)
  await ensureInstalled()
  if (!args.includes('--report')) await prepare()
  const command = ['--import', 'tsx', `${root}bench/main.ts`, ...args]
  const { code } = await run(process.execPath, command, { env: settings(args) })
  return code
})

async function prepare() {
  await ensureInstalled('bench/')
  await ensurePrograms(PROGRAMS)
  await ensureBuilt()
}

/**
 * A smoke run measures nothing: it may share its cores.
 * @param {readonly string[]} args
 */
function settings(args) {
  return args.includes('--smoke') ? { ...process.env, BENCH_PIN: 'no' } : process.env
}
