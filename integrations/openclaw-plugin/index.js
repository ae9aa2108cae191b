// OAuth3 as a plugin of OpenClaw. Its tools ask the daemon; what a person must answer is followed from here, and exactly the session that
// asked is woken. Nothing has to be reachable from outside, and no hook has to be open.
import { join } from 'node:path'
import { createDaemon } from './daemon.js'
import { createFollowUp } from './follow-up.js'
import { createTools } from './tools.js'

export default {
  id: 'oauth3',
  name: 'OAuth3',
  description: 'Runs code with secrets that the agent never sees, once a person has approved it',
  register(api) {
    const daemon = createDaemon({
      url: api.pluginConfig?.url || process.env.OAUTH3_URL || 'http://127.0.0.1:3737',
      token: api.pluginConfig?.token || process.env.OAUTH3_TOKEN || '',
    })
    const followUp = createFollowUp({
      daemon,
      file: () => join(api.runtime.state.resolveStateDir(process.env), 'oauth3', 'requests.json'),
      log: (text) => api.logger.warn(text),
      wake({ sessionKey, agentId }, text, requestId) {
        api.runtime.system.enqueueSystemEvent(text, {
          sessionKey,
          agentId,
          contextKey: `oauth3:${requestId}`,
          replace: true,
        })
        // As the hook for wakes words it: in other words nothing happens where the heartbeat is off.
        api.runtime.system.requestHeartbeat({
          source: 'hook',
          intent: 'immediate',
          reason: 'hook:oauth3',
          sessionKey,
          agentId,
        })
      },
    })
    for (const [name, create] of Object.entries(createTools({ daemon, followUp })))
      api.registerTool(create, { name })
    // In any other mode the tools are only looked at.
    if (api.registrationMode === 'full')
      api.registerService({ id: 'oauth3', start: () => followUp.start(), stop: () => followUp.stop() })
  },
}
