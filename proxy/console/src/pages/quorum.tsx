import { ConfirmButton } from '../admin/act.tsx'
import { Choice, Field, type Fields, FoldedForm, numberIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

type Scope = 'secret' | 'agent' | 'app' | 'tag'

const set = ({ scope, name = '', approvals }: Fields): Promise<unknown> =>
  api.call('setQuorum', {
    body: { scope: scope as Scope, name, approvals: numberIn(approvals, 'How many') ?? 1 },
  })

const OWNER = {
  unknown: 'Nobody has said which of the approvers the owner of the daemon is: they count as one of them.',
  separate: 'The owner of the daemon is none of the approvers, and counts as a person of their own.',
} as const

/** How many persons have to say yes. */
export function Quorum() {
  const quorum = useLoaded(() => api.call('listQuorum'), 'quorum', ['quorum.'])
  return (
    <Section
      title="How many have to approve"
      aside={
        <FoldedForm title="Ask for more than one" submit="Set" done="Set." send={set} after={quorum.reload}>
          <Choice
            name="scope"
            label="Of requests with"
            options={[
              ['secret', 'a secret'],
              ['agent', 'an agent'],
              ['app', 'an app'],
              ['tag', 'agents with a tag'],
            ]}
          />
          <Field name="name" label="Its name" isRequired />
          <Field name="approvals" label="How many persons" type="number" value="2" isRequired />
        </FoldedForm>
      }
    >
      <Show of={quorum}>
        {({ rules, owner, deciders }) => (
          <>
            <Table
              label="Rules of how many have to approve"
              rows={rules}
              keyOf={({ scope, name }) => `${scope}:${name}`}
              empty="One yes is enough for everything."
              columns={[
                {
                  title: 'Of requests with',
                  isName: true,
                  cell: ({ scope, name }) => (
                    <>
                      {scope} <bdi>{name}</bdi>
                    </>
                  ),
                },
                { title: 'Persons', isNumber: true, cell: ({ approvals }) => approvals },
                {
                  title: 'State',
                  cell: ({ reachable }) =>
                    reachable ? (
                      'good'
                    ) : (
                      <span class="tone-bad">there are not so many: nobody can say yes</span>
                    ),
                },
                {
                  title: '',
                  cell: ({ scope, name }) => (
                    <ConfirmButton
                      label="Remove"
                      title={`Let one yes be enough for ${scope} ${name}?`}
                      act={() => api.call('setQuorum', { body: { scope, name, approvals: 1 } })}
                      done="One yes is enough."
                      after={quorum.reload}
                    >
                      <p>What waits now is evaluated without the rule as well.</p>
                    </ConfirmButton>
                  ),
                },
              ]}
            />
            <p class="soft">
              {deciders} {deciders === 1 ? 'person' : 'persons'} may decide.{' '}
              {owner in OWNER
                ? OWNER[owner as keyof typeof OWNER]
                : `The owner of the daemon is approver ${owner}.`}
            </p>
            <FoldedForm
              title="Which approver is the owner?"
              submit="Set"
              done="Set."
              send={({ who = '' }) => api.call('setQuorumOwner', { body: { owner: who } })}
              after={quorum.reload}
            >
              <Field
                name="who"
                label="Telegram user id, or separate, or unknown"
                value={owner}
                list={['separate', 'unknown']}
                isRequired
              />
            </FoldedForm>
          </>
        )}
      </Show>
    </Section>
  )
}
