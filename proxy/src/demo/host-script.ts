import type { Asked, Block } from './demo-model.ts'
import type { demoRequest } from './skill.ts'

/** In what the agent is woken with, and in what its request printed. */
const ASKED = 'I asked you for it: what I may do with the key is yours to say.'
const REQUEST_ID = /OAuth3: (req_[0-9a-f]{32}) is \w+/g

let tools = 0
const use = (id: string, args: object): Block => ({
  ...{ type: 'tool_use', id: `toolu_host_${++tools}`, name: 'tool_call', input: { id, args } },
})
const say = (text: string): Block => ({ type: 'text', text })

/** A script and no model: it greets, asks for a secret once, and says what came of it. OpenClaw offers tools behind one that calls them. */
export const createHostScript = (request: ReturnType<typeof demoRequest>) => {
  let seen = ''
  return {
    /** What the woken agent was told that its request printed; '' before that. */
    seen: () => seen,
    answerOf({ messages }: Asked): Block {
      // OpenClaw puts notes of its own around what is said.
      const last = JSON.stringify(
        messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1),
      )
      if (last.includes('tool_result')) {
        const said = /the API says (\d{3})/.exec(last)?.[1]
        if (said !== undefined) seen = `The API answered ${said}.`
        else if (last.includes('denied')) seen = 'A person said no.'
        return say(seen === '' ? ASKED : seen)
      }
      const woken = [...last.matchAll(REQUEST_ID)].at(-1)?.[1]
      if (woken !== undefined) return use('oauth3_status', { request_id: woken })
      if (last.includes('charges')) return use('oauth3_execute', request)
      if (last.includes('came of it'))
        return say(seen === '' ? 'Nothing yet.' : `${seen} I never had the key.`)
      return say(
        last.includes('Say hello')
          ? 'Hello. I live in a container without a network, a port or a key.'
          : 'Yes.',
      )
    },
  }
}
