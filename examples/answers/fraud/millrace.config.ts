export default {
  http: {
    address: '127.0.0.1:9464',
    asks: { verdicts: { topic: 'payments', id: 'payment' } },
    views: { cards: { key: ['card'] } },
  },
}
