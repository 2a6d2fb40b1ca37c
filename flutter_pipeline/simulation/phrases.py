"""What stands between the words of a topic: phrases, emoji, other languages and spam.

The noise is on purpose: HTML entities, zero-width and joined characters, skin tones, scripts that
part no words; cleaning has to cope with all of it.
"""

OPENERS = (
    "just found out about the|anyone else into|still thinking about|can not stop talking about|"
    "so happy with my|today was all about|my whole week is|what is your favourite|"
    "i really need some|we had the best|trying out a new|the truth about|nobody told me about|"
    "a quick thread on|looking for tips on|that moment when the|this is why i love|"
    "best thing about|hot take on|spent all morning with|remember when the|you should see the|"
    "good morning to everyone with|is it just me or the|one more day of|proud of our|"
    "oh my, the|learned so much about|just finished the|i will never get over|"
    "don't forget about the|how do you even|friends who know about|there is nothing like|"
    "after all these years of|my sister loves the|not sure how i feel about|finally got the|"
    "weekend plans:|unpopular opinion:"
)

CONNECTORS = (
    "and|with|for the|in the|of|and a|on my|plus|like|over|and then|after|near the|but no|at the|"
    "without|or|to the|&amp;|from our|is|was|needs|makes me want|than any|while the|before|into|"
    "- |...|by the|\n"
)

CLOSERS = (
    "again today|so good|what a day|right now|haha|lol|thoughts?|and i love it|this week|"
    "with friends|at last|tbh|who is in?|see you there|wish me luck|&lt;3|so much fun|no regrets|"
    "as always|more tomorrow|believe me|highly recommend|never again|for sure|it's perfect|"
    "omg|y'all|10/10|100%|what do you think?|\u200b|can't wait"
)

EMOJI: dict[str, str] = {
    "weather": "⛈ ☀️ ❄️ 🌪",
    "birdlife": "🐦 🪹 🦉 🐣",
    "food": "🍞 🥗 🍔 🥖",
    "drinks": "☕ 🍵 🍷",
    "music": "🎷 🎸 🎻 🎶",
    "sport": "⚽ 🎾 🏃‍♀️",
    "outdoors": "🚴 🥾 🏄",
    "politics": "🗳️ 🚆 🌍",
    "tech": "📱 💻 🤖",
    "space": "🚀 🔭 ⚛️",
    "travel": "🏙️ ✈️ 🏝️",
    "books": "📚 📜 🏰",
    "health": "🧘 🏋️ 😴",
    "money": "📈 🪙 🏠",
    "garden": "🌷 🍅 🪴",
    "film": "🎬 📺 👻",
    "games": "🎮 ♟️ 🎲",
    "fashion": "👗 💄 🧶",
    "family": "👶 🏫 💍",
    "work": "💼 📄 🦄",
    "pets": "🐶 🐱 🐠",
    "art": "🎨 📷 🏺",
    "sea": "⛵ 🐋 🎣",
    "motors": "🚗 🏎️ 🏍️",
    "mind": "🧠 🤔 🗣️",
}

MOODS = "😂 ❤️ 😍 😭 🔥 👏🏽 🙏 💯 😅 🤷‍♂️ ✨ 👍🏼 🎉 🙈"

LANGUAGES: dict[str, tuple[str, str]] = {
    "es": (
        " ",
        "hoy|mañana|el|la|los|de|que|muy|mi|con|para|buenos días|qué bonito|me gusta mucho|corazón|"
        "fútbol|canción|amigos|playa|niños|feliz|semana|año|gracias|vamos|también|ciudad|lluvia|"
        "estoy cansado|¿alguien sabe?|¡increíble!",
    ),
    "de": (
        " ",
        "heute|morgen|der|die|das|und|mit|für|sehr|guten Morgen|so schön|ich liebe|Straße|Fußball|"
        "Wochenende|Frühstück|müde|Kaffee|Freunde|Regen|Mädchen|Bücher|danke|wirklich|immer noch|"
        "endlich Feierabend|was für ein Tag|über|Züge|verspätet",
    ),
    "fr": (
        " ",
        "aujourd'hui|demain|le|la|les|et|avec|très|bonjour à tous|j'adore|c'est la vie|été|forêt|"
        "déjà|café|théâtre|garçon|vacances|pluie|soirée|merci|encore|la musique|mes amis|"
        "quelle journée|peut-être|fenêtre|où est|cœur|à bientôt",
    ),
    "pt": (
        " ",
        "hoje|amanhã|o|a|os|e|com|muito|bom dia|saudade|coração|não|futebol|praia|música|família|"
        "obrigado|também|feliz|chuva|cidade|avó|pão|estou cansado|que delícia|semana|você|ninguém|"
        "até logo|é verdade",
    ),
    "ru": (
        " ",
        "сегодня|завтра|и|в|на|очень|доброе утро|люблю|погода|друзья|музыка|город|снег|дождь|"
        "счастье|спасибо|книга|футбол|кофе|устал|наконец|мой|весна|поезд|вечер|праздник|почему|"
        "конечно|красиво|новый день",
    ),
    "ar": (
        " ",
        "اليوم|غدا|في|من|على|جدا|صباح الخير|أحب|الطقس|أصدقاء|موسيقى|مدينة|مطر|شكرا|كتاب|كرة القدم|"
        "قهوة|جميل|سعيد|الحمد لله|البحر|عائلة|ليلة|سفر|قلب|أخيرا|مع|كل يوم|لماذا|جديد",
    ),
    "ja": (
        "",
        "今日は|明日|天気がいい|とても|楽しい|友達と|音楽を聞く|猫|犬が好き|雨です|おはよう|ございます|"
        "ありがとう|美味しい|ラーメン|電車が遅れた|疲れた|週末に|本を読む|サッカー|桜|海へ|コーヒー|"
        "最高|ですね|ました|写真を撮った|新しい|家で|花火",
    ),
    "th": (
        "",
        "วันนี้|พรุ่งนี้|อากาศดี|มาก|สนุก|เพื่อน|ฟังเพลง|แมว|หมา|ฝนตก|สวัสดี|ขอบคุณ|อร่อย|กาแฟ|เหนื่อย|"
        "หนังสือ|ฟุตบอล|ทะเล|รถติด|สุดยอด|ครับ|ค่ะ|บ้าน|ใหม่|รัก|ดอกไม้|เดินทาง|กินข้าว|สบายดี|คืนนี้",
    ),
}
"""Language code -> (what parts its words, its words and phrases)."""

SPAM = (
    "WIN A FREE PHONE NOW!!!|CLICK HERE to claim your prize|make $5000 a week from home|"
    "follow me and get 1000 followers FREE|LIMITED OFFER 90% OFF sunglasses|"
    "meet new people near you DM NOW|"
    "double your bitcoin TODAY guaranteed|cheap meds no prescription|"
    "you have been selected!!! act NOW|giveaway giveaway giveaway RT to win"
)
