package template

// StreamConsumer is an AWS::Kinesis::StreamConsumer: a reader of a stream with 2 MB/s of its own from each shard.
type StreamConsumer struct {
	ARN       string
	StreamARN string
}

var streamConsumerType = resourceType{
	nameProperty: "ConsumerName",
	// On AWS the ARN has the stream's name and a time in it, which only Kinesis knows.
	refer: func(s Scope, name string) (string, map[string]string) {
		arn := s.arn("kinesis", "consumer/"+name)
		return arn, map[string]string{"ConsumerARN": arn, "ConsumerName": name}
	},
	decode: func(d decoder, r named, properties node, into *Resources) {
		p := d.object(properties, r.logicalID, []string{"ConsumerName", "StreamARN"}, []string{"Tags"})
		into.StreamConsumers = append(into.StreamConsumers, StreamConsumer{
			ARN: r.ref, StreamARN: d.text(p.get("StreamARN"), r.logicalID+": StreamARN"),
		})
	},
}

// readStreams makes mappings that read through a stream's consumer read the stream itself.
func (r *Resources) readStreams() {
	for _, consumer := range r.StreamConsumers {
		for _, function := range r.Functions {
			for i := range function.Mappings {
				if function.Mappings[i].Stream == consumer.ARN {
					function.Mappings[i].Stream = consumer.StreamARN
				}
			}
		}
	}
}
