export default {
  http: {
    address: '127.0.0.1:9464',
    asks: { recommendations: { topic: 'clicks', id: 'click' } },
    views: { sessions: { key: ['session'] } },
  },
}
