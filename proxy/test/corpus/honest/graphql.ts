import { type HonestSeed, honest, program } from './case.ts'

/** GraphQL: queries that read, mutations that are said to be ones. */
export const graphqlCases = (): HonestSeed[] => [
  honest(
    'graphql/query',
    'dev/my-prs',
    'Lists my open pull requests on GitHub',
    ['api.github.com'],
    program`
const query = ´
  query ($first: Int!) {
    viewer {
      login
      pullRequests(first: $first, states: OPEN) { nodes { title url repository { nameWithOwner } } }
    }
  }
´
const res = await fetch('https://api.github.com/graphql', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('GITHUB_TOKEN')}´, 'user-agent': 'acme' },
  body: JSON.stringify({ query, variables: { first: 30 } }),
})
const { data, errors } = await res.json()
if (errors) throw new Error(errors.map((e) => e.message).join('; '))
for (const pr of data.viewer.pullRequests.nodes) console.log(pr.repository.nameWithOwner, '·', pr.title)
`,
    { secrets: ['GITHUB_TOKEN'] },
  ),
  honest(
    'graphql/query',
    'dev/linear-cycle',
    'Shows the issues of the running cycle in Linear',
    [{ host: 'api.linear.app', methods: ['POST'], paths: ['/graphql'], graphql: 'query' }],
    program`
const gql = String.raw
const QUERY = gql´{ team(id: "ENG") { activeCycle { name issues { nodes { identifier title state { name } } } } } }´
const request = async (query: string, variables?: Record<string, unknown>) => {
  const res = await fetch('https://api.linear.app/graphql', {
    method: 'POST',
    headers: { Authorization: Deno.env.get('LINEAR_KEY')!, 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  const json = await res.json()
  if (json.errors?.length) throw new Error(json.errors[0].message)
  return json.data
}
const { team } = await request(QUERY)
for (const issue of team.activeCycle.issues.nodes) console.log(issue.identifier, issue.state.name, issue.title)
`,
    { secrets: ['LINEAR_KEY'] },
  ),
  honest(
    'graphql/query',
    'shop/low-stock',
    'Lists products of our shop with less than five pieces',
    ['acme-shop.myshopify.com'],
    program`
const SHOP = "acme-shop.myshopify.com";
const query = "{ productVariants(first: 100, query: \"inventory_quantity:<5\") { edges { node { displayName inventoryQuantity } } } }";
fetch("https://" + SHOP + "/admin/api/2024-10/graphql.json", {
  method: "POST",
  headers: { "X-Shopify-Access-Token": process.env.SHOPIFY_TOKEN, "Content-Type": "application/json" },
  body: JSON.stringify({ query }),
})
  .then((res) => res.json())
  .then(({ data }) => data.productVariants.edges.forEach(({ node }) => console.log(node.inventoryQuantity, node.displayName)))
  .catch((error) => { console.error(error); process.exit(1); });
`,
    { runtime: 'node', secrets: ['SHOPIFY_TOKEN'] },
  ),
  honest(
    'graphql/query',
    'ops/monday-board',
    'Reads the items of the board in monday.com',
    ['api.monday.com'],
    program`
import json, os
from urllib.request import Request, urlopen

QUERY = """
query ($board: [ID!]) {
  boards(ids: $board) { name items_page(limit: 50) { items { id name column_values { id text } } } }
}
"""
body = json.dumps({"query": QUERY, "variables": {"board": [4410]}}).encode()
req = Request("https://api.monday.com/v2", body, {"Authorization": os.environ["MONDAY_TOKEN"], "Content-Type": "application/json", "API-Version": "2024-10"})
board = json.load(urlopen(req))["data"]["boards"][0]
for item in board["items_page"]["items"]:
    print(item["name"], {c["id"]: c["text"] for c in item["column_values"]})
`,
    { runtime: 'python', secrets: ['MONDAY_TOKEN'] },
  ),
  honest(
    'graphql/query',
    'search/weaviate',
    'Asks our Weaviate for articles near a question',
    ['docs-acme.weaviate.network'],
    program`
const body = { query: '{ Get { Article(nearText: {concepts: ["refund policy"]}, limit: 3) { title url } } }' }
const res = await fetch('https://docs-acme.weaviate.network/v1/graphql', {
  method: 'POST', headers: { authorization: 'Bearer ' + process.env.WEAVIATE_KEY, 'content-type': 'application/json' }, body: JSON.stringify(body),
})
const { data } = await res.json()
data.Get.Article.forEach((a) => console.log(a.title))
`,
    { runtime: 'quickjs', secrets: ['WEAVIATE_KEY'] },
  ),
  honest(
    'graphql/query-paging',
    'dev/stargazers',
    'Counts who starred acme/shop, by month',
    ['api.github.com'],
    program`
const QUERY = /* GraphQL */ ´
  query Stars($cursor: String) {
    repository(owner: "acme", name: "shop") {
      stargazers(first: 100, after: $cursor) { pageInfo { hasNextPage endCursor } edges { starredAt } }
    }
  }´
const months = new Map<string, number>()
let cursor: string | null = null
for (;;) {
  const res = await fetch('https://api.github.com/graphql', {
    method: 'POST',
    headers: { Authorization: ´bearer @{Deno.env.get('GITHUB_TOKEN')}´ },
    body: JSON.stringify({ query: QUERY, variables: { cursor } }),
  })
  const { stargazers } = (await res.json()).data.repository
  for (const { starredAt } of stargazers.edges) months.set(starredAt.slice(0, 7), (months.get(starredAt.slice(0, 7)) ?? 0) + 1)
  if (!stargazers.pageInfo.hasNextPage) break
  cursor = stargazers.pageInfo.endCursor
}
console.log(Object.fromEntries(months))
`,
    { secrets: ['GITHUB_TOKEN'] },
  ),
  honest(
    'graphql/mutation',
    'dev/linear-create',
    'Creates an issue "Renew certificate" in Linear',
    ['api.linear.app'],
    program`
const mutation = ´mutation Create($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { identifier url } } }´
const res = await fetch('https://api.linear.app/graphql', {
  method: 'POST',
  headers: { authorization: Deno.env.get('LINEAR_KEY') ?? '', 'content-type': 'application/json' },
  body: JSON.stringify({ query: mutation, variables: { input: { teamId: 'ENG', title: 'Renew certificate', priority: 2 } } }),
})
console.log(JSON.stringify((await res.json()).data.issueCreate))
`,
    { secrets: ['LINEAR_KEY'], deserves: ['mutation'] },
  ),
  honest(
    'graphql/mutation',
    'ops/monday-done',
    'Sets item 991 in monday.com to Done',
    [{ host: 'api.monday.com', methods: ['POST'], paths: ['/v2'], graphql: 'mutation', requests: 1 }],
    program`
import json, os, urllib.request

MUTATION = 'mutation { change_simple_column_value(board_id: 4410, item_id: 991, column_id: "status", value: "Done") { id } }'
req = urllib.request.Request("https://api.monday.com/v2", method="POST")
req.add_header("Authorization", os.environ["MONDAY_TOKEN"])
req.add_header("Content-Type", "application/json")
req.data = json.dumps({"query": MUTATION}).encode()
print(urllib.request.urlopen(req).read().decode())
`,
    { runtime: 'python', secrets: ['MONDAY_TOKEN'], deserves: ['mutation'] },
  ),
  honest(
    'graphql/mutation',
    'dev/add-comment',
    'Comments "Deployed to staging" on a pull request by GraphQL',
    ['api.github.com'],
    program`
const headers = { authorization: ´Bearer @{process.env.GITHUB_TOKEN}´, 'user-agent': 'acme-agent' }
const graphql = async (query, variables = {}) => {
  const res = await fetch('https://api.github.com/graphql', { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
  const { data, errors } = await res.json()
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}
const { repository } = await graphql('query { repository(owner: "acme", name: "shop") { pullRequest(number: 118) { id } } }')
await graphql('mutation ($id: ID!, $text: String!) { addComment(input: { subjectId: $id, body: $text }) { clientMutationId } }', {
  id: repository.pullRequest.id, text: 'Deployed to staging 🚀',
})
console.log('commented')
`,
    { runtime: 'node', secrets: ['GITHUB_TOKEN'], deserves: ['mutation'] },
  ),
  honest(
    'graphql/mutation',
    'shop/tag-order',
    'Adds the tag "packed" to an order in Shopify',
    ['acme-shop.myshopify.com'],
    program`
const res = await fetch('https://acme-shop.myshopify.com/admin/api/2024-10/graphql.json', {
  method: 'POST',
  headers: { 'X-Shopify-Access-Token': Deno.env.get('SHOPIFY_TOKEN')!, 'Content-Type': 'application/json' },
  body: JSON.stringify({
    query: ´mutation addTags($id: ID!, $tags: [String!]!) {
      tagsAdd(id: $id, tags: $tags) { userErrors { message } }
    }´,
    variables: { id: 'gid://shopify/Order/5512', tags: ['packed'] },
  }),
})
console.log(await res.text())
`,
    { secrets: ['SHOPIFY_TOKEN'], deserves: ['mutation'] },
  ),
]
