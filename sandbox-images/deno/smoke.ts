const { to } = JSON.parse(Deno.env.get('OAUTH3_ARGS') as string) as { to: string }
console.log('hello', to)
