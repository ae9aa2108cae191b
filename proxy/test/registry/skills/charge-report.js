// @skill charge-report
// @description Counts the charges of a day.
// @secrets STRIPE_KEY
// @network api.stripe.com
const response = await fetch('https://api.stripe.com/v1/charges', {
  headers: { authorization: `Bearer ${process.env.STRIPE_KEY}` },
})
const { data } = await response.json()
console.log(data.length)
