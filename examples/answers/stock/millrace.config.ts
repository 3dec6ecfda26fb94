export default {
  http: {
    address: '127.0.0.1:9464',
    asks: { reservations: { topic: 'orders', id: 'order_id' } },
    views: { shelves: { key: ['item'] } },
  },
}
