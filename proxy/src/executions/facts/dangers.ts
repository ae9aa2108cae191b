/**
 * Every kind of danger that a card can tell of, worst first: the order here is the order on the card. `text` completes
 * "line 3: …" for what stands in the code, and is a whole sentence's rest for what stands in the request. `short` names the
 * kind where there is no room for more. `pinned`: shown before all others, and never without its name.
 */
export const DANGERS = {
  // What contradicts what the person would believe.
  secret_beyond_binding: {
    short: 'secret beyond binding',
    text: 'a secret could go beyond its binding',
    pinned: true,
  },
  raw_secret: {
    short: 'reads a real secret',
    text: 'the code reads the real value of a secret',
    pinned: true,
  },
  other_secrets: {
    short: 'comment: other secrets',
    text: "the code's comment names other secrets than it gets",
    pinned: true,
  },
  other_claims: {
    short: 'comment: other claims',
    text: "the code's comment names another skill or description than the request",
    pinned: true,
  },
  other_source: {
    short: 'link: OTHER code',
    text: 'the link holds OTHER code than what will run',
    pinned: true,
  },
  other_publisher: {
    short: 'OTHER publisher key',
    text: 'signed by another key than the one that was accepted for this name',
    pinned: true,
  },
  other_entry: {
    short: 'other than its entry',
    text: 'asks for other than its registry entry says',
    pinned: true,
  },
  card_imitation: { short: 'imitates this card', text: 'imitates this card', pinned: true },
  // What hides.
  hidden_characters: {
    short: 'hidden characters',
    text: 'holds invisible or reordering characters',
    pinned: true,
  },
  unreadable_code: {
    short: 'code NOT readable',
    text: 'cannot be read as a program: what it does is NOT known',
    pinned: true,
  },
  dynamic_code: {
    short: 'may run text as code',
    text: 'may run code made from text while it runs',
    pinned: true,
  },
  code_from_text: { short: 'code from text', text: 'runs code made from text', pinned: true },
  text_import: {
    short: 'imports text',
    text: 'imports code from text (data:, blob: or a file)',
    pinned: true,
  },
  computed_import: {
    short: 'computed import',
    text: 'imports from an address computed at run time',
    pinned: true,
  },
  starts_programs: { short: 'starts programs', text: 'starts another program', pinned: true },
  native_code: { short: 'native code', text: 'calls native code', pinned: true },
  webassembly: { short: 'WebAssembly', text: 'runs WebAssembly', pinned: true },
  worker_code: { short: 'worker', text: 'starts a worker', pinned: true },
  replaced_builtin: {
    short: 'replaces built-ins',
    text: 'replaces a built-in, so that calls do other than they say',
    pinned: true,
  },
  // Where it may go.
  any_capability: {
    short: 'ANY method, ANY path',
    text: 'what it sends could not be told: ANY method, ANY path',
    pinned: true,
  },
  any_path: { short: 'ANY path', text: 'a path is computed: ANY path', pinned: true },
  any_method: { short: 'ANY method', text: 'a method is computed: ANY method', pinned: true },
  suspicious_host: {
    short: 'receiving host',
    text: 'a host where anybody can receive, store or forward data',
    pinned: true,
  },
  public_suffix: {
    short: 'public suffix',
    text: 'a pattern over a suffix that strangers can register under',
    pinned: true,
  },
  many_addresses: {
    short: 'many addresses',
    text: 'more addresses than a card can show: read the details',
    pinned: true,
  },
  lookalike_host: { short: 'lookalike host', text: 'a host that looks like another', pinned: true },
  lookalike_name: { short: 'lookalike name', text: 'a name that looks like another', pinned: true },
  host_from_args: { short: 'host from args', text: 'sends to a host that the args name', pinned: false },
  host_from_answer: {
    short: 'host from answer',
    text: 'sends to a host that an answer names',
    pinned: false,
  },
  host_decoded: { short: 'decoded host', text: 'sends to a host that is decoded', pinned: false },
  host_computed: { short: 'computed host', text: 'sends to a host that is computed', pinned: false },
  method_from_data: {
    short: 'method from data',
    text: 'takes the method of a request from its data',
    pinned: false,
  },
  path_from_data: {
    short: 'path from data',
    text: 'takes the whole path of a request from its data',
    pinned: false,
  },
  opaque_sender: {
    short: 'unread sender',
    text: 'hands requests to a library or socket that cannot be read here',
    pinned: false,
  },
  follows_redirect: {
    short: 'follows redirect',
    text: 'takes a redirect apart and goes where it says',
    pinned: false,
  },
  hidden_condition: { short: 'hidden condition', text: 'sends only under a hidden condition', pinned: false },
  graphql_mutation: { short: 'GraphQL mutation', text: 'changes data (GraphQL mutation)', pinned: false },
  method_override: {
    short: 'method override',
    text: 'asks the server to take another method than the one it sends',
    pinned: false,
  },
  says_it_reads: {
    short: 'says it reads',
    text: 'says that it only reads, but can change things',
    pinned: false,
  },
  tries_more: {
    short: 'tries more',
    text: 'tries what it does not ask for, which the gateway refuses',
    pinned: false,
  },
  unused_host: { short: 'unnamed host', text: 'a host that nothing in the code names', pinned: false },
  unasked_secret: {
    short: 'unasked secret',
    text: 'reads a secret that it does not ask for, and will not get',
    pinned: false,
  },
  unused_secret: {
    short: 'unread secret',
    text: 'a secret that nothing in the code reads',
    pinned: false,
  },
  many_requests: { short: 'many requests', text: 'more requests than usual', pinned: false },
  // What looks like other than it is.
  mixed_scripts: {
    short: 'mixed letters',
    text: 'holds a word that mixes look-alike letters',
    pinned: false,
  },
  lookalikes: { short: 'lookalike letters', text: 'holds letters that pass for others', pinned: false },
  escaped_name: {
    short: 'escaped names',
    text: 'writes a name or text with escapes, which can hide what it is',
    pinned: false,
  },
  confusable_names: { short: 'confusable names', text: 'has names that look the same', pinned: false },
  odd_address: {
    short: 'odd address',
    text: 'holds dots or slashes in an address that are not what they seem',
    pinned: false,
  },
  odd_spaces: { short: 'odd blanks', text: 'compares text that holds odd blanks', pinned: false },
  pushed_right: { short: 'code far right', text: 'has code pushed out of sight by blanks', pinned: false },
  blank_lines: {
    short: 'blank lines',
    text: 'has a long run of blank lines, with code behind it',
    pinned: false,
  },
  remote_import: { short: 'remote import', text: 'imports code from elsewhere', pinned: false },
  long_line: { short: 'long line', text: 'has a very long line', pinned: false },
  // What stands in the request.
  inside_host: {
    short: 'inside your network',
    text: 'reaches into this machine or its network',
    pinned: false,
  },
  punycode_host: { short: 'punycode host', text: 'an internationalised (punycode) host name', pinned: false },
  plain_http: { short: 'plain http', text: 'plain http: what is sent can be read on the way', pinned: false },
  embedded_sandbox: {
    short: 'embedded sandbox',
    text: 'runs in the embedded sandbox: a process on this host, weaker than a container',
    pinned: false,
  },
  unread_source: {
    short: 'unread link',
    text: 'the link could not be read, so nothing compares it with this code',
    pinned: false,
  },
} as const satisfies Record<
  string,
  { readonly short: string; readonly text: string; readonly pinned: boolean }
>

export type DangerKind = keyof typeof DANGERS

const ORDER = new Map(Object.keys(DANGERS).map((kind, index) => [kind, index]))

/** Negative when `a` is worse than `b`. */
export const byDanger = (a: { readonly kind: DangerKind }, b: { readonly kind: DangerKind }): number =>
  (ORDER.get(a.kind) as number) - (ORDER.get(b.kind) as number)

/** A danger as the card tells it: one line of text without line breaks. */
export interface Danger {
  readonly kind: DangerKind
  readonly text: string
}
