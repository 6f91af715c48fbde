/**
 * Something that is measured inside of one process: `node task.js <task> <options>`. It tells its parent
 * what it found, and ends when the parent lets it go.
 *
 * @module
 */

const [task, options] = process.argv.slice(2)
const { measure } = await import(`./${task}.js`)
process.on('disconnect', () => process.exit())
process.send(await measure(JSON.parse(options)))
