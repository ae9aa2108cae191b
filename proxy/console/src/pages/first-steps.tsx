import { useState } from 'preact/hooks'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { isOfInstallation } from '../state/session-signals.ts'
import { Copy } from '../ui/copy.tsx'
import { Link } from '../ui/link.tsx'

/** By programs; the token is the agent's own and stands in its environment. */
const WAYS = [
  {
    name: 'curl',
    says: 'In the shell of the agent, with its token in OAUTH3_TOKEN:',
    text: (url: string) =>
      [
        `curl -sS ${url}/execute -H "Authorization: Bearer $OAUTH3_TOKEN" \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  -d '{"skill_id": "first-try", "code": "console.log(1 + 1)", "metadata": {"description": "Adds two numbers"}}'`,
      ].join('\n'),
  },
  {
    name: 'Claude Code',
    says: 'Adds the tools of OAuth3 to Claude Code, over MCP:',
    text: (url: string) =>
      `claude mcp add --transport http oauth3 "${url}/mcp" --header "Authorization: Bearer $OAUTH3_TOKEN"`,
  },
  {
    name: 'OpenClaw',
    says: 'Gives OpenClaw the skill; OAUTH3_TOKEN goes into its environment beside the address:',
    text: (url: string) =>
      [
        'mkdir -p ~/.openclaw/workspace/skills/oauth3',
        'cp docs/openclaw-skill/SKILL.md ~/.openclaw/workspace/skills/oauth3/',
        `export OAUTH3_URL=${url}`,
      ].join('\n'),
  },
  {
    name: 'Codex',
    says: 'In ~/.codex/config.toml, which takes the name of the variable:',
    text: (url: string) =>
      ['[mcp_servers.oauth3]', `url = "${url}/mcp"`, 'bearer_token_env_var = "OAUTH3_TOKEN"'].join('\n'),
  },
  {
    name: 'OpenCode',
    says: 'In opencode.json:',
    text: (url: string) =>
      JSON.stringify(
        {
          mcp: {
            oauth3: {
              type: 'remote',
              url: `${url}/mcp`,
              headers: { Authorization: 'Bearer {env:OAUTH3_TOKEN}' },
              oauth: false,
            },
          },
        },
        null,
        2,
      ),
  },
  {
    name: 'MCP',
    says: 'Other MCP clients, by streamable HTTP (Gemini CLI and Qwen Code say httpUrl for url):',
    text: (url: string) =>
      JSON.stringify(
        {
          mcpServers: {
            oauth3: {
              type: 'http',
              url: `${url}/mcp`,
              // biome-ignore lint/suspicious/noTemplateCurlyInString: clients put the variable in
              headers: { Authorization: 'Bearer ${OAUTH3_TOKEN}' },
            },
          },
        },
        null,
        2,
      ),
  },
] as const

/** The unspecified address is where a daemon listens, and nowhere to go to. */
const NOWHERE = /^https?:\/\/(?:0\.0\.0\.0|\[::\])(?::|$)/

/**
 * Where agents reach the daemon; undefined until it is known. The console may be elsewhere: behind a proxy that passes on nothing else, or
 * at loopback beside an address for a VM. Who signed up comes from elsewhere, and knows the address that the browser has.
 */
function useAgentsUrl(): string | undefined {
  const { data, error } = useLoaded(() => api.call('readStatus'), 'status')
  if (!isOfInstallation() || error !== undefined) return location.origin
  return data !== undefined && NOWHERE.test(data.url) ? location.origin : data?.url
}

/** An inbox with nothing in it. */
export function FirstSteps() {
  const [way, setWay] = useState<(typeof WAYS)[number]>(WAYS[0])
  const isOfAll = isOfInstallation()
  const url = useAgentsUrl()
  return (
    <>
      <header class="page-head">
        <h1>Inbox</h1>
        <p class="soft">Nothing waits for you</p>
      </header>
      <section class="panel steps">
        <p class="waiting-first" role="status">
          <span class="pulse" aria-hidden="true" />
          Waiting for the next request. It appears here by itself.
        </p>
        <p>
          What was answered stands in <Link to="/history">History</Link>.
        </p>
        <h2>1. Give an agent a token</h2>
        <p>
          Add it in <Link to="/agents">Agents</Link>
          {isOfAll && ', or on the machine of the daemon by this'}. The token is shown once.
        </p>
        {isOfAll && <Copy text="npx oauth3 agent add clawd" />}
        <h2>2. Connect it</h2>
        <fieldset class="tabs">
          <legend class="unseen">Program</legend>
          {WAYS.map((one) => (
            <button
              key={one.name}
              type="button"
              aria-pressed={one === way}
              class={one === way ? 'chosen' : ''}
              onClick={() => setWay(one)}
            >
              {one.name}
            </button>
          ))}
        </fieldset>
        <p>{way.says}</p>
        {url !== undefined && <Copy key={way.name} text={way.text(url)} />}
      </section>
    </>
  )
}
