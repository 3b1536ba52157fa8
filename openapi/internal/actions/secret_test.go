package actions

import "testing"

func TestASecretIsMoreThanAWordInAName(t *testing.T) {
	for _, name := range []string{
		"otp", "pin", "cvv", "session_id", "device_token", "api_key", "apiKey", "apikey", "APIKey", "X-API-Key",
		"api-key", "apiKey2", "client_secret", "clientSecret", "clientsecret", "password", "userPassword",
		"new_password",
		"access_token", "accessToken", "accesstoken", "refresh_token", "auth_token", "id_token", "sessionToken",
		"X-Amz-Security-Token", "csrf_token", "token",
		"authorization", "Authorization", "private_key", "secretKey", "secret", "credentials", "jwt",
		"subscription-key", "personal_access_token",
	} {
		if !Secret(Argument{Name: name, Type: "string"}) {
			t.Errorf("%s is none", name)
		}
	}
	for _, name := range []string{
		"pageToken", "nextPageToken", "next_token", "continuation_token", "syncToken", "cursor", "accountKey",
		"issue_key", "sort_key", "primaryKey", "partition_key", "public_key",
		"key", "keys", "keyword", "monkey", "turkey", "keyId", "access_key_id", "tokenCount", "max_tokens",
		"token_type", "tokenize", "password_hint", "has_password", "secretary",
		"secret_name", "include_secrets", "foreignKey", "idempotency_key", "routing_key", "map_key", "author", "",
		"123", "_",
	} {
		if Secret(Argument{Name: name, Type: "string"}) {
			t.Errorf("%s is one", name)
		}
	}
	for argument, want := range map[Argument]bool{
		{Name: "key", Description: "Your API key"}:                     true,
		{Name: "key", Description: "Field to sort by"}:                 false,
		{Name: "answer", Format: "password"}:                           true,
		{Name: "password", Type: "boolean"}:                            false,
		{Name: "token", Type: "integer", Description: "How many"}:      false,
		{Name: "page_token", Description: "As an access token is not"}: false,
	} {
		if Secret(argument) != want {
			t.Errorf("%+v: %v", argument, !want)
		}
	}
}
