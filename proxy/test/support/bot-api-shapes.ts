/** What a test sees of the Bot API double: people, chats, messages, and the ways to steer it. */

export interface DoubleUser {
  readonly id: number
  readonly first_name: string
  readonly username?: string
}

export interface DoubleChat {
  readonly id: number
  readonly type: 'private' | 'group' | 'supergroup'
  /** In a group: whether the bot may delete messages and sees all of them. */
  botIsAdmin: boolean
  /** Blocked by the person, or thrown out of the group. */
  blocked: boolean
  /** The supergroup that it became. */
  migratedTo?: number | undefined
}

export interface DoubleMessage {
  readonly chatId: number
  readonly messageId: number
  readonly fromBot: boolean
  readonly from: DoubleUser
  /** What is seen now: tags and entities read. For a document, its caption. */
  text: string
  /** As the bot sent it. */
  source: string
  entities: readonly { readonly type: string; readonly text: string }[]
  /** Texts of the inline buttons, row by row. */
  buttons: readonly (readonly string[])[]
  callbacks: ReadonlyMap<string, string>
  readonly forceReply: boolean
  readonly document: { readonly fileName: string; readonly bytes: Buffer } | undefined
  readonly replyTo: DoubleMessage | undefined
  deleted: boolean
  edits: number
  dateMs: number
  markupJson: string
}

export interface CallRecord {
  readonly method: string
  readonly payload: Record<string, unknown>
  status: number
  readonly atMs: number
}

export interface PressHandle {
  readonly id: string
  /** What the bot answered; rejects when it does not within five seconds. */
  readonly answered: Promise<{ readonly text: string; readonly alert: boolean }>
}

export interface FailRule {
  /** Any method when left out. */
  readonly method?: string
  readonly status: number
  readonly description?: string
  readonly retryAfter?: number
  /** 1 when left out. */
  readonly times?: number
}

export interface BotApiDouble extends AsyncDisposable {
  /** For TELEGRAM_API_ROOT. */
  readonly root: string
  readonly token: string
  readonly bot: DoubleUser & { readonly username: string }
  readonly messages: readonly DoubleMessage[]
  readonly calls: readonly CallRecord[]
  readonly commands: readonly { readonly command: string; readonly description: string }[]
  /** Updates that nobody has confirmed. */
  readonly unconfirmed: number
  addChat(chat: { id: number; type: DoubleChat['type']; botIsAdmin?: boolean }): DoubleChat
  say(chatId: number, text: string, from: DoubleUser, options?: SayOptions): DoubleMessage
  press(chatId: number, messageId: number, buttonText: string, from: DoubleUser): PressHandle
  /** A press with any data, as a changed client could send it. */
  pressRaw(chatId: number, messageId: number, data: string, from: DoubleUser): PressHandle
  /** An update of another kind, as it is. */
  push(update: Record<string, unknown>): void
  deleteAsPerson(chatId: number, messageId: number): void
  /** Cuts every connection and refuses new ones until `up`. */
  down(): void
  up(): void
  failNext(rule: FailRule): void
  /** Calls of the method are not answered until the function that it returns is called. */
  hold(method: string): () => void
  /** A group becomes a supergroup with another id; who writes to the old one is told so. */
  upgrade(chatId: number, to: number): void
  /** Whether getUpdates answers 409, as when another program polls. */
  conflict(on: boolean): void
  /** Another program's webhook. */
  stealWebhook(url: string): void
  /** Where webhook calls really go; Telegram itself insists on https. */
  deliverWebhooksTo(address: string): void
  /** The first message that fits, now or later. */
  waitForMessage(fits: (message: DoubleMessage) => boolean, timeoutMs?: number): Promise<DoubleMessage>
  /** Resolves when the check holds; looked at after every change. */
  waitFor<T>(
    check: () => T | undefined | false | Promise<T | undefined | false>,
    what: string,
    timeoutMs?: number,
  ): Promise<T>
}

interface SayOptions {
  readonly replyTo?: DoubleMessage
  readonly forwarded?: boolean
  /** It is the service message that its chat became this one. */
  readonly migrateTo?: number
  /** How old the message is when the bot sees it. */
  readonly ageMs?: number
}

export interface DoubleOptions {
  readonly token?: string
  /** Flood control for one chat; Telegram's own when left out. */
  readonly flood?: { readonly perSecond: number; readonly burst: number; readonly groupPerMinute: number }
  /** How long a press can be answered. */
  readonly queryLifetimeMs?: number
}
