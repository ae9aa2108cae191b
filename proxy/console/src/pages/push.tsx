import { useEffect, useState } from 'preact/hooks'
import { ConfirmButton, useAct } from '../admin/act.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { hasPush, ownSubscription, subscribe, unsubscribe } from '../push.ts'

/** Browsers that are told when something waits, with no page of the console open. */
export function Push() {
  const push = useLoaded(() => api.call('listPush'), 'push')
  const [own, setOwn] = useState<string | null>(null)
  const { isBusy, refusal, run } = useAct()
  const look = (): void => void ownSubscription().then(setOwn, () => undefined)
  useEffect(look, [])
  const after = (): void => {
    look()
    push.reload()
  }
  const turnOn = async (): Promise<void> => {
    if (push.data === undefined) throw new Error('The daemon’s key was not read yet: try again.')
    await subscribe(push.data.public_key)
    after()
  }
  return (
    <Section
      title="Notifications"
      aside={
        hasPush() ? (
          <button
            type="button"
            disabled={isBusy || push.data === undefined}
            onClick={() => void run(turnOn, 'This browser is told.')}
          >
            {own === null ? 'Tell this browser' : 'Subscribe anew'}
          </button>
        ) : (
          <span class="soft">This browser has none, or the address is not trustworthy to it.</span>
        )
      }
    >
      <p class="soft">
        A browser is told that something waits, with the name of the agent and no more; the message is
        encrypted on its way through the browser’s vendor.
      </p>
      <p class="refusal" role="alert">
        {refusal}
      </p>
      <Show of={push}>
        {({ subscriptions: rows }) => (
          <Table
            label="Browsers that are told"
            rows={rows}
            keyOf={({ id }) => id}
            empty="No browser of yours is told. Telegram, a terminal and an open page are, as always."
            columns={[
              { title: 'By', isName: true, cell: ({ service }) => <bdi>{service}</bdi> },
              { title: 'Browser', cell: ({ id }) => (id === own ? 'this one' : 'another one') },
              {
                title: '',
                cell: ({ id }) => (
                  <div class="acts">
                    <ConfirmButton
                      label="Remove"
                      title="Tell that browser no more?"
                      act={() => unsubscribe(id)}
                      done="It is told no more."
                      after={after}
                    >
                      <p>It shows nothing more of what waits, unless it subscribes again.</p>
                    </ConfirmButton>
                  </div>
                ),
              },
            ]}
          />
        )}
      </Show>
    </Section>
  )
}
