package table_test

import (
	"slices"
	"strings"
	"testing"

	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// searched are titles and notes in which the test looks for words.
var searched = []string{
	0:  "明天的会议准备",
	1:  "買い物リスト作成",
	2:  "ซื้อของพรุ่งนี้",
	3:  "会见与议程",                         // both characters of 会议, apart
	4:  "AI会议2026年第3回",                  // mixed without spaces
	5:  "ﾘｽﾄとＧＰＴのｶﾞｲﾄﾞ",                 // half-width kana, full-width Latin
	6:  "ສະບາຍດີຕອນເຊົ້າ",               // Lao
	7:  "ភាសាខ្មែរពិបាក",                // Khmer
	8:  "မြန်မာစာသင်တန်း",               // Burmese
	9:  "བཀྲ་ཤིས་བདེ་ལེགས།",             // Tibetan
	10: "회의를 준비하다",                      // Korean with particles
	11: "Cafe\u0301 für Müller, Straße", // decomposed é
	12: "か\u3099くせいの会",                  // decomposed が
	13: "𠮷野家と𰻞𰻞麺と𮯰",                     // supplementary planes
	14: "第一、会。议",                        // a sign in between
	15: "e-mail to grace@acme.example, version 3.5 of 2026-12-01",
	16: "e mail 5 3",
	17: "葛\U000E0100城市 ⼀覧 ㍿ ㎏", // a variant, a radical, squares
	18: "☕ 🎉 Kaffee™ 👩‍💻",
	19: "हिन्दी में बैठक", // Hindi has spaces, and vowel signs
	20: "бой и ёлка",
	21: "ΜΉΝΥΜΑ σήμερα",
	22: "مُهِمّ اجتماع",
	23: "データベース ジョン・スミス",
	24: "ข\u0e33 ทำ น\u0e4d\u0e32", // sara am, composed and in two parts
	25: strings.Repeat("x", 180) + " long",
	26: "哈哈哈哈",
	27: "人",
	28: "见面、面谈", // whose pairs would follow one another
	29: "Приёмка, їжак",
}

// TestWordsAreFoundAlikeOnBothDatabases looks for each word in all of them; it must be in
// exactly those whose numbers are given, the newest first: on Postgres among the newest tasks, and by the index.
func TestWordsAreFoundAlikeOnBothDatabases(t *testing.T) {
	t.Run("newest", testWords)
	table.LookThrough(t, 1)
	t.Run("index", testWords)
}

func testWords(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store, c *clock) {
		numbers := map[string]int{}
		for i, title := range searched {
			task := table.Task{Title: title}
			if i%2 == 1 {
				task = table.Task{Title: "in the notes", Notes: "# x\n" + title}
			}
			numbers[create(t, s, "acme", task).ID] = i
			create(t, s, "globex", task)
		}
		for search, want := range map[string][]int{
			"会议":       {4, 0},
			"會議":       nil,
			"议会":       nil,
			"准备":       {0},
			"会":        {17, 14, 12, 4, 3, 0},
			"备":        {0},
			"明天 准备":    {0},
			"准备 明天":    {0},
			"明天准备":     nil,
			"明天的会议准备":  {0},
			"人":        {27},
			"リスト":      {5, 1},
			"ﾘｽﾄ":      {5, 1},
			"り":        nil,
			"買い物":      {1},
			"พรุ่งนี้": {2},
			"ของ":      {2},
			"ซื้อ":     {2},
			"AI":       {4}, "ai会议": {4}, "AI会": {4}, "I会": nil, "2026": {15, 4}, "3回": {4}, "第3回": {4},
			"议2026年": {4},
			"GPT":    {5}, "ＧＰＴ": {5}, "gptの": {5}, "ガイド": {5}, "カイト": nil, "ｶﾞｲﾄﾞ": {5},
			"ສະບາຍດີ": {6}, "ເຊົ້າ": {6},
			"ខ្មែរ": {7}, "ភាសា": {7}, "ខ្មែរភាសា": nil,
			"ភាសា\u200bខ្មែរ": {7},
			"မြန်မာ":          {8}, "သင်တန်း": {8},
			"ཤིས": {9}, "བཀྲ་ཤིས": {9}, "བདེ་ལེགས": {9},
			"བདེ་ལེགས།": {9}, "ཤིས་བཀྲ": nil,
			"회의": {10}, "준비": {10}, "회의를": {10}, "회비": nil, "\u1112\u116c\u110b\u1174": {10},
			"café": {11}, "cafe\u0301": {11}, "cafe": {11}, "MULLER": {11}, "müller": {11}, "STRASSE": {11},
			"mu\u0308ller": {11},
			"がくせい":         {12}, "か\u3099くせい": {12}, "かくせい": nil,
			"𠮷野家": {13}, "𠮷": {13}, "吉野家": nil, "𰻞𰻞麺": {13}, "𮯰": {13}, "と𮯰": {13},
			"会。议": {14, 4, 0}, "第一": {14},
			"e-mail": {16, 15}, "mail-e": nil, "grace@acme.example": {15}, "acme": {15}, "3.5": {15}, "5.3": {16},
			"2026-12-01": {15}, "12-2026": nil,
			"葛城": {17}, "葛\U000E0101城市": {17}, "一覧": {17}, "株式会社": {17}, "kg": {17},
			"kaffee": {18}, "Kaffee™": {18}, "☕ kaffee": {18}, "KaffeeTM": nil,
			"बैठक": {19}, "हिन्दी": {19}, "हन्द": nil,
			"бой": {20}, "бои": nil, "ЁЛКА": {20}, "елка": {20}, "е\u0308лка": {20},
			"приемка": {29}, "ПРИЁМКА": {29},
			"їжак": {29}, "іжак": nil,
			"μηνυμα": {21}, "ΣΉΜΕΡΑ": {21},
			"مهم": {22}, "اجتماع": {22},
			"ベース": {23}, "ジョン・スミス": {23}, "スミス": {23}, "ース ジョ": {23}, "スジ": nil,
			"ทำ": {24}, "ท\u0e4d\u0e32": {24}, "นำ": {24}, "ขำ": {24},
			strings.Repeat("X", 180): {25}, "long": {25},
			"哈哈": {26}, "哈哈哈": {26}, "哈哈哈哈哈": nil,
			"见面": {28}, "面谈": {28}, "见面谈": nil,
			`" OR * NEAR( units:x ' \ & | ! <-> :*`: nil, "☕": nil, "😀": nil, "'": nil, "·": nil,
			"notes 人": {27},
		} {
			page, err := table.List(t.Context(), s, "acme", table.TaskQuery{Sort: "created", Search: search, Limit: 50})
			if err != nil {
				t.Errorf("%s: %v", search, err)
			}
			got := []int{}
			for _, task := range page.Tasks {
				got = append(got, numbers[task.ID])
			}
			if !slices.Equal(got, want) || page.Total != len(want) {
				t.Errorf("%s: found in %v, total %d, want %v", search, got, page.Total, want)
			}
		}
	})
}
