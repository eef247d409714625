package servertest

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// CreateBucket makes a bucket and returns its name, which is new: all accounts share the names of buckets.
func CreateBucket(t testing.TB, client *s3.Client) string {
	t.Helper()
	name := "test-" + strings.ToLower(rand.Text())
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatalf("create bucket %s: %v", name, err)
	}
	return name
}
