// Runs while the image is built: starts OpenClaw once, until it is ready, so that what V8 compiled of it is in the image, and a list of its
// modules. A start in a machine finds both there; its own /tmp is new each time. The folder's name has the user's id: this must run as the machine does.
import { readdirSync } from 'node:fs'
import { COMPILE_CACHE, createGatewayProcess } from './gateway-process.mjs'
import { ownTokens, writeConfig } from './openclaw-config.mjs'

const CONFIGURE = {
  model: 'anthropic/some-model',
  providers: [{ id: 'anthropic', path: '', api: 'anthropic-messages', models: [{ id: 'some-model' }] }],
}

const gateway = createGatewayProcess({
  mode: 'record',
  prepare() {
    writeConfig(CONFIGURE)
    return ownTokens()
  },
  onLog: (line) => console.log(line),
  async onState(name, { detail } = {}) {
    if (name === 'failed') throw new Error(`OpenClaw did not start: ${detail}`)
    if (name !== 'ready') return
    // It is written when the process ends.
    await gateway.end()
    if (readdirSync(COMPILE_CACHE).length === 0) throw new Error(`nothing was kept in ${COMPILE_CACHE}`)
  },
})
gateway.start(null)
