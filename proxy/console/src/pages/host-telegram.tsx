import { useState } from 'preact/hooks'
import type { BotView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton, useAct } from '../admin/act.tsx'
import { Field, type Fields, FoldedForm } from '../admin/form.tsx'
import { Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { count } from '../admin/texts.ts'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Copy } from '../ui/copy.tsx'

/** The bot in Telegram by which people talk to one hosted agent, and who may. */
export function HostTelegram({ of: name }: { readonly of: string }) {
  const loaded = useLoaded(() => api.call('readBot', { params: { name } }), name, ['bot.'])
  return (
    <details class="fold">
      <summary>Telegram</summary>
      <Show of={loaded}>
        {({ bot }) =>
          bot === null ? (
            <AddBot of={name} after={loaded.reload} />
          ) : (
            <Bot of={name} bot={bot} after={loaded.reload} />
          )
        }
      </Show>
    </details>
  )
}

function AddBot({ of: name, after }: { readonly of: string; readonly after: () => void }) {
  const add = ({ token = '' }: Fields): Promise<unknown> =>
    api.call('addBot', { params: { name }, body: { token: token.trim() } })
  return (
    <FoldedForm title="Give it a bot" submit="Add" send={add} done="It has a bot." after={after}>
      <Field
        name="token"
        label="Token of the bot"
        hint="Of a bot that @BotFather made for it alone. The agent never has it."
        isRequired
        isSecret
        maxLength={200}
      />
    </FoldedForm>
  )
}

function Bot({
  of: name,
  bot: { username, last4, connected, problem, refused, chats },
  after,
}: {
  readonly of: string
  readonly bot: BotView
  readonly after: () => void
}) {
  return (
    <>
      <p>
        <bdi>@{username}</bdi>, by a token that ends in <code>{last4}</code>:{' '}
        {problem ?? (connected ? 'connected' : 'connecting …')}. Whoever is paired with it talks to{' '}
        <bdi>{name}</bdi>; {count(refused)} messages of others were not answered.
      </p>
      <Table
        label="Paired chats"
        rows={chats}
        keyOf={({ id }) => id}
        empty="Nobody is paired: it answers nobody."
        columns={[
          { title: 'Name', isName: true, cell: (chat) => <bdi>{chat.name}</bdi> },
          { title: 'Id in Telegram', cell: ({ id }) => <bdi>{id}</bdi> },
          { title: 'Since', cell: ({ paired_at }) => <Time at={Date.parse(paired_at)} /> },
          {
            title: '',
            cell: (chat) => (
              <ConfirmButton
                label="Unpair"
                title={`Unpair ${chat.name}?`}
                act={() => api.call('unpairBotChat', { params: { name, id: chat.id } })}
                done="It is paired no more."
                after={after}
              >
                <p>Nothing that is written there is answered from then on.</p>
              </ConfirmButton>
            ),
          },
        ]}
      />
      <div class="acts">
        <PairingCode of={name} />
        <ConfirmButton
          label="Take the bot away"
          title={`Take @${username} away from ${name}?`}
          act={() => api.call('removeBot', { params: { name } })}
          done="It has no bot any more."
          after={after}
        >
          <p>Its token and its pairings go with it.</p>
        </ConfirmButton>
      </div>
    </>
  )
}

function PairingCode({ of: name }: { readonly of: string }) {
  const [link, setLink] = useState<string>()
  const { isBusy, refusal, run } = useAct()
  const make = async (): Promise<void> => {
    setLink((await api.call('makeBotCode', { params: { name } })).link)
  }
  return (
    <>
      <button
        type="button"
        class="small"
        disabled={isBusy}
        onClick={() => void run(make, 'A link was made.')}
      >
        Pair a chat
      </button>
      <span class="refusal" role="alert">
        {refusal}
      </span>
      {link !== undefined && (
        <div role="status">
          <p class="hint">Opened once, within an hour, it pairs the chat of whoever opens it.</p>
          <Copy text={link} />
        </div>
      )}
    </>
  )
}
