import { useState } from 'preact/hooks'
import { ConfirmButton } from '../admin/act.tsx'
import { Choice, Field, type Fields, FoldedForm, wordsIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { type Column, Table } from '../admin/table.tsx'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Copy } from '../ui/copy.tsx'
import { Link } from '../ui/link.tsx'

interface Given {
  readonly name: string
  readonly token: string
  readonly url: string
}

type Agent = Awaited<ReturnType<typeof listed>>['agents'][number]
const listed = () => api.call('listAgents')

const HOUR_MS = 3_600_000

type Wake = 'openclaw-hook' | 'openclaw-cli' | 'webhook'

const wakeOf = ({ wake, target, session_key, wake_token }: Fields) =>
  wake === undefined || wake === ''
    ? {}
    : {
        wake: {
          kind: wake as Wake,
          target: target ?? '',
          ...(session_key ? { session_key } : {}),
          ...(wake_token ? { token: wake_token } : {}),
        },
      }

/** A token is shown once, to whoever made it. */
function GivenToken({ given, taken }: { readonly given: Given; readonly taken: () => void }) {
  return (
    <div class="note good" role="status">
      <p>
        The token of <strong>{given.name}</strong>. It is shown this once: put it where the agent reads it.
      </p>
      <Copy text={given.token} />
      <button type="button" class="quiet" onClick={taken}>
        I have it
      </button>
    </div>
  )
}

interface ActProps {
  readonly give: (given: Given) => void
  readonly after: () => void
}

function AddAgent({ give, after }: ActProps) {
  const add = async (fields: Fields): Promise<void> => {
    const { name = '', cidrs, tags } = fields
    const answer = await api.call('addAgent', {
      body: { name, cidrs: wordsIn(cidrs), tags: wordsIn(tags), ...wakeOf(fields) },
    })
    give({ name: answer.agent.name, token: answer.token, url: answer.url })
  }
  return (
    <FoldedForm title="Add an agent" submit="Add" send={add} done="Added." after={after}>
      <Field name="name" label="Name" isRequired placeholder="clawd" />
      <Field name="tags" label="Tags" hint="Which provider keys it may use." />
      <Field
        name="cidrs"
        label="Addresses that it may call from"
        hint="As networks: 192.168.1.0/24. None: any."
      />
      <Choice
        name="wake"
        label="Wake it when there is an outcome"
        options={[
          ['', 'As the settings say'],
          ['openclaw-hook', 'OpenClaw, by its hook'],
          ['openclaw-cli', 'OpenClaw, by its command'],
          ['webhook', 'A webhook'],
        ]}
      />
      <Field name="target" label="Where to wake it" placeholder="http://127.0.0.1:18789" />
      <Field name="session_key" label="Session of OpenClaw" />
      <Field name="wake_token" label="Token of the wake target" isSecret />
    </FoldedForm>
  )
}

function AgentActs({ agent: { name, tags }, give, after }: ActProps & { readonly agent: Agent }) {
  const rotate = async (hours: string | undefined): Promise<void> => {
    const overlap_ms = Math.round(Number(hours || 0) * HOUR_MS)
    const answer = await api.call('rotateAgentToken', { params: { name }, body: { overlap_ms } })
    give({ name, token: answer.token, url: answer.url })
  }
  return (
    <div class="acts">
      <FoldedForm
        title="Tags"
        submit="Replace"
        done="Replaced."
        after={after}
        send={({ words }) => api.call('setAgentTags', { params: { name }, body: { tags: wordsIn(words) } })}
      >
        <Field name="words" label={`Tags of ${name}`} value={tags.join(' ')} />
      </FoldedForm>
      <FoldedForm
        title="New token"
        submit="Make a new token"
        done="There is a new token."
        after={after}
        send={({ hours }) => rotate(hours)}
      >
        <Field name="hours" label="Hours for which the old one is good beside it" type="number" value="0" />
      </FoldedForm>
      <ConfirmButton
        label="Revoke"
        title={`Revoke ${name}?`}
        act={() => api.call('revokeAgent', { params: { name } })}
        done={`${name} is revoked.`}
        after={after}
      >
        <p>Its token is refused at once; what it asked for ends, and what it may use does too.</p>
      </ConfirmButton>
    </div>
  )
}

const COLUMNS: readonly Column<Agent>[] = [
  { title: 'Name', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
  { title: 'Tags', cell: ({ tags }) => <Names of={tags} /> },
  { title: 'Calls from', cell: ({ cidrs }) => <Names of={cidrs} none="anywhere" /> },
  { title: 'Woken by', cell: ({ wake }) => wake?.kind ?? <span class="soft">settings</span> },
  {
    title: 'State',
    cell: ({ revoked_at, old_token_until }) =>
      revoked_at !== null ? (
        <span class="tone-bad">
          revoked <Time at={revoked_at} />
        </span>
      ) : old_token_until !== null ? (
        <>
          two tokens until <Time at={old_token_until} />
        </>
      ) : (
        'active'
      ),
  },
]

/** Who may ask. */
export default function Agents() {
  const agents = useLoaded(listed, 'agents', ['agent.'])
  const [given, setGiven] = useState<Given>()
  const made = { give: setGiven, after: agents.reload }
  return (
    <>
      <h1>Agents</h1>
      <p class="lead">
        A program with a token: it asks, and never decides. Some live here:{' '}
        <Link to="/hosts">hosted agents</Link>.
      </p>
      {given && <GivenToken given={given} taken={() => setGiven(undefined)} />}
      <AddAgent {...made} />
      <Section title="All of them">
        <Show of={agents}>
          {({ agents: rows }) => (
            <Table
              label="Agents"
              rows={rows}
              keyOf={({ id }) => id}
              empty="None yet. Add one above, and give it the token."
              columns={[
                ...COLUMNS,
                {
                  title: '',
                  cell: (agent) => agent.revoked_at === null && <AgentActs agent={agent} {...made} />,
                },
              ]}
            />
          )}
        </Show>
      </Section>
    </>
  )
}
