import { type HonestSeed, honest, program } from './case.ts'

/** Names that stand beside similar ones for a plain reason, and comments that name the request itself. */
export const nameCases = (): HonestSeed[] => [
  honest(
    'names/beside-stored',
    'shop/report-weekly',
    'Sums up the charges of the week',
    ['api.stripe.com'],
    program`
const res = await fetch('https://api.stripe.com/v1/balance_transactions?type=charge&limit=100', { headers: { authorization: ´Bearer @{Deno.env.get('STRIPE_KEY_LIVE')}´ } })
const { data } = await res.json()
console.log(data.reduce((sum, t) => sum + t.net, 0) / 100)
`,
    {
      secrets: ['STRIPE_KEY_LIVE'],
      storedSecrets: ['STRIPE_KEY_LIVE', 'STRIPE_KEY_TEST', 'GITHUB_TOKEN'],
      trustedSkills: ['shop/report-monthly', 'shop/report-daily'],
    },
  ),
  honest(
    'names/beside-stored',
    'acme/github-issues',
    'Counts open issues',
    ['api.github.com'],
    program`
const res = await fetch('https://api.github.com/search/issues?q=repo:acme/shop+is:issue+is:open&per_page=1', { headers: { authorization: 'Bearer ' + process.env.GITHUB_TOKEN } })
console.log((await res.json()).total_count)
`,
    {
      runtime: 'node',
      secrets: ['GITHUB_TOKEN'],
      storedSecrets: ['GITHUB_TOKEN', 'GITLAB_TOKEN', 'GITHUB_TOKEN_2'],
      trustedSkills: ['acme/gitlab-issues', 'acme/github-pulls'],
    },
  ),
  honest(
    'names/beside-stored',
    'home/lights-on',
    'Lists the rooms of our heating system',
    ['api.tado.example.com'],
    program`
import json, os, urllib.request
req = urllib.request.Request("https://api.tado.example.com/v2/homes/1/zones", headers={"Authorization": "Bearer " + os.environ["TADO_TOKEN"]})
for zone in json.load(urllib.request.urlopen(req)):
    print(zone["name"])
`,
    {
      runtime: 'python',
      secrets: ['TADO_TOKEN'],
      storedSecrets: ['TADO_TOKEN', 'HUE_USER', 'HA_TOKEN'],
      trustedSkills: ['home/lights-off'],
    },
  ),
  honest(
    'names/comment-header',
    'acme/trello-boards',
    'Lists the Trello boards',
    ['api.trello.com'],
    program`
// @skill acme/trello-boards
// @description Lists the Trello boards
// @secrets TRELLO_AUTH
const res = await fetch('https://api.trello.com/1/members/me/boards?fields=name,url', { headers: { authorization: Deno.env.get('TRELLO_AUTH') ?? '' } })
for (const { name, url } of await res.json()) console.log(name, url)
`,
    { secrets: ['TRELLO_AUTH'] },
  ),
]
