import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams beside us: `KafkaStreamsPeer <servers> <topic> <pass|filter|tumble-count> <records>`, twice, the second time measured. */
public class KafkaStreamsPeer {
  static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss[.SSS][.SS][.S]");

  public static void main(String[] args) throws Exception {
    long records = Long.parseLong(args[3]);
    run(args[0], args[1], args[2], records);
    System.out.println(run(args[0], args[1], args[2], records));
    System.exit(0);
  }

  static String run(String servers, String topic, String query, long records) throws Exception {
    AtomicLong read = new AtomicLong(), counted = new AtomicLong(), out = new AtomicLong();
    ObjectMapper mapper = new ObjectMapper();
    StreamsBuilder builder = new StreamsBuilder();
    KStream<byte[], JsonNode> bids = builder
        .stream(topic, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
        .mapValues(bytes -> {
          try {
            JsonNode bid = mapper.readTree(bytes);
            read.incrementAndGet();
            return bid;
          } catch (java.io.IOException error) {
            throw new IllegalStateException(error);
          }
        });
    if (query.equals("pass")) {
      String[] columns = {"auction", "bidder", "price", "dateTime", "extra"};
      bids.mapValues(bid -> {
        ObjectNode row = mapper.createObjectNode();
        for (String column : columns) row.set(column, bid.get(column));
        return row;
      }).foreach((key, row) -> out.incrementAndGet());
    } else if (query.equals("filter")) {
      bids.filter((key, bid) -> bid.get("auction").asLong() % 123 == 0).foreach((key, bid) -> out.incrementAndGet());
    } else {
      bids.map((key, bid) -> KeyValue.pair(bid.get("bidder").asLong(), timeOf(bid)))
          .groupByKey(Grouped.with(Serdes.Long(), Serdes.Long()))
          .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(4)))
          .aggregate(() -> 0L, (bidder, time, count) -> {
            counted.incrementAndGet();
            return count + 1;
          }, Materialized.<Long, Long>as(Stores.inMemoryWindowStore("counts", Duration.ofSeconds(60), Duration.ofSeconds(10), false))
              .withKeySerde(Serdes.Long()).withValueSerde(Serdes.Long()))
          .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
          .toStream().foreach((window, count) -> out.incrementAndGet());
    }
    String state = Files.createTempDirectory("streams-peer").toString();
    Properties properties = new Properties();
    properties.put("application.id", "peer-" + query + "-" + System.nanoTime());
    properties.put("bootstrap.servers", servers);
    properties.put("auto.offset.reset", "earliest");
    properties.put("state.dir", state);
    properties.put("num.stream.threads", 1);
    properties.put("max.poll.records", 5000);
    properties.put("commit.interval.ms", 1000);
    properties.put("default.key.serde", Serdes.ByteArraySerde.class);
    properties.put("default.value.serde", Serdes.ByteArraySerde.class);
    properties.put("default.timestamp.extractor", Event.class);
    OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    KafkaStreams streams = new KafkaStreams(builder.build(), properties);
    long startCpu = system.getProcessCpuTime(), start = System.nanoTime();
    streams.start();
    boolean windowed = query.equals("tumble-count");
    long last = -1;
    for (int still = 0; still < 100;) {
      long done = windowed ? counted.get() : read.get();
      if (done >= records) break;
      still = done == last && done > 0 ? still + 1 : 0;
      last = done;
      Thread.sleep(50);
    }
    double cpu = (system.getProcessCpuTime() - startCpu) / 1e9, seconds = (System.nanoTime() - start) / 1e9;
    streams.close(Duration.ofSeconds(20));
    return String.format(java.util.Locale.ROOT, "{\"read\":%d,\"counted\":%d,\"rows\":%d,\"cpuSeconds\":%.2f,\"seconds\":%.2f}",
        read.get(), windowed ? counted.get() : read.get(), out.get(), cpu, seconds);
  }

  static long timeOf(JsonNode bid) {
    return LocalDateTime.parse(bid.get("dateTime").asText(), TIME).toInstant(ZoneOffset.UTC).toEpochMilli();
  }

  /** The event's own time; behind the repartition topic the value is it. */
  public static class Event implements org.apache.kafka.streams.processor.TimestampExtractor {
    private final ObjectMapper mapper = new ObjectMapper();

    public long extract(org.apache.kafka.clients.consumer.ConsumerRecord<Object, Object> record, long before) {
      if (record.value() instanceof Long time) return time;
      if (!(record.value() instanceof byte[] bytes)) return record.timestamp();
      int at = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("\"dateTime\":\"") + 12;
      int end = at;
      while (bytes[end] != '"') end++;
      String text = new String(bytes, at, end - at, java.nio.charset.StandardCharsets.ISO_8859_1);
      return LocalDateTime.parse(text, TIME).toInstant(ZoneOffset.UTC).toEpochMilli();
    }
  }
}
