/**
 * One measured server: `node main.js <group> <variant>`, on a free port of 127.0.0.1. It tells its
 * parent the port, and the CPU time that it has used whenever the parent asks.
 *
 * @module
 */

const [group, variant] = process.argv.slice(2)
const { variants } = await import(`./${group}.js`)
const make = variants[variant]
if (make === undefined) throw new Error(`${group} has no variant ${variant}`)

const server = await make()
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('message', () => process.send(process.cpuUsage()))
process.on('disconnect', () => process.exit())
