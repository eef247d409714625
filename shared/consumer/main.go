package consumer

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

	"sluice/shared/declaration"
)

// Main is a consumer's main function: it reads its own Settings and the consumer's from the environment, makes the consumer with
// build, and handles batches until Lambda ends the process. own are the defaults of the consumer's settings: a struct with env tags.
// Main makes no network call before the first batch.
//
// If the settings are wrong or build fails, it prints why and exits with 1.
func Main[S any](name string, own S, build func(aws.Config, S) (Consumer, error)) {
	handler, err := newMainHandler(name, own, build)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s can't start:\n%v\n", name, err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

// MainOf is [Main] of a consumer that a pipeline's declarations configure. Each setting that a declaration names has its value from
// the environment.
func MainOf[S any](name string, p declaration.Pipeline, own S, build func(aws.Config, declaration.Declarations, S) (Consumer, error)) {
	Main(name, own, func(cfg aws.Config, own S) (Consumer, error) {
		d, err := p.Settle(os.LookupEnv) //nolint:forbidigo // here a main reads the environment
		if err != nil {
			return nil, err
		}
		return build(cfg, d, own)
	})
}

func newMainHandler[S any](name string, own S, build func(aws.Config, S) (Consumer, error)) (*Handler, error) {
	settings, err := env.ParseAs[Settings]()
	if err := errors.Join(err, env.Parse(&own)); err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	cfg, err := lambdaConfig()
	if err != nil {
		return nil, err
	}
	c, err := build(cfg, own)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: settings.LogLevel})).With("consumer", name)
	letters := &Queue{
		SQS:    sqs.NewFromConfig(cfg),
		URL:    settings.DeadLetterQueueURL,
		S3:     s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil }),
		Bucket: settings.DeadLetterBucket,
	}
	handler := NewHandler(name, c, letters, settings, log, os.Stdout)
	if settings.DeadLetterBucket != "" {
		handler.Notes = &Bucket{S3: letters.S3, Name: letters.Bucket, Consumer: name}
	}
	return handler, nil
}
