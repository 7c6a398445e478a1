"""Invented people, one after another, each with a name and an address that nobody else has."""

import random
import unicodedata
from dataclasses import dataclass

RNG = random.Random(20261123)


# Only `random()` promises the same sequence in every Python, so picking and shuffling are built on it.
def pick(items):
    return items[int(RNG.random() * len(items))]


def chance(share):
    return RNG.random() < share


def shuffled(items):
    return [item for _, _, item in sorted((RNG.random(), n, item) for n, item in enumerate(items))]


# First names | last names. `_` is a blank; `native/latin` gives the spelling used in addresses where it cannot be derived.
NAMES = """
Grace Oliver Hannah Liam Charlotte Declan Siobhan Marcus Imogen Callum Beatrice Desmond Maeve Tobias Eleanor Rhys | Whitfield O'Brien Hargreaves Mac_Lochlainn Ashdown Penhaligon Fairweather Lockwood Trevelyan Osborne Kavanagh Winterbourne Blackwood Merrick Okafor-Jones Sutcliffe
Lucía José Ximena Andrés Inés Joaquín Begoña Raúl Paloma Íñigo Rocío Tomás Amparo Nicolás Soledad Rubén | Muñoz García de_la_Cruz Ibáñez Quiñones Peña Zúñiga Domínguez Echeverría Beltrán Olmedo Vázquez Larrañaga Montalvo Cárdenas Urrutia
Jürgen Anneliese Björn Käthe Götz Friederike Matthias Ursula Henrike Lüder Sabine Thorsten Wiebke Reinhard Mechthild Ansgar | Müller Großmann Schröder von_der_Heide Böttcher Kühn Weißhaupt Jäger Lindenberg Köhler Vogelsang Sträter Achterberg Ziegenhain Möllendorf Brandstätter
Chloé Étienne Maëlle François Hélène Benoît Anaïs Gaëtan Solène Rémi Océane Thibault Clémence Loïc Margaux Édouard | Lefèvre Gauthier Bélanger Château Deschênes L'Hôpital Mercier Côté Duchêne Perrault Rousselot Guérin Saint-Aubin Thévenot Vaugeois d'Ormesson
Łukasz Żaneta Zbigniew Agnieszka Šárka Jiří Kateřina Ondřej Małgorzata Wojciech Zdeněk Božena Grzegorz Ľubica Radoslav Světlana | Wiśniewski Dvořák Kołodziej Němcová Zając Řezníček Grabowska Šťastný Błaszczyk Hájek Ostrowski Krejčí Świątek Kováč Piątkowska Žižka
Åsa Søren Øyvind Ingrid Jörgen Þóra Håkon Sólveig Väinö Päivi Mikkel Astrid Guðrún Eirík Linnéa Torbjørn | Öberg Sørensen Bjørnstad Lindqvist Hämäläinen Jónsdóttir Ångström Kjærgaard Nordström Mäkelä Dahlgren Haugen Virtanen Østergaard Sæther Söderholm
João Conceição Thiago Júlia Antônio Letícia Vinícius Fátima Caetano Iracema Otávio Luísa Beatriz Rogério Simão Graça | Gonçalves Magalhães Simões Araújo Assunção Brandão Falcão Guimarães Leitão Moraes Nóbrega Patrício Quaresma Sequeira Taváres Vasconcelos
Çağla Oğuz Şebnem Gökhan Ayşegül Tuğrul Elif Barış Nurgül Kerem Müge Tolga Defne Yiğit Zehra Onur | Yıldırım Şahin Öztürk Güneş Çelik Karadağ Aydoğan Türkmen Kılıç Bozkurt Erdoğdu Sönmez Uçar Tekin Özdemir Akgün
Nguyệt Đức Hương Quốc Thảo Tuấn Liên Phước Mỹ Khánh Trâm Bảo Vĩnh Diễm Hoàng Xuân | Nguyễn Trần Đặng Phạm Huỳnh Bùi Võ Đỗ Ngô Dương Lý Trịnh Đinh Hồ Mai Tạ
Adébáyò Ngozi Kwame Títílọpé Chukwuemeka Abena Olúwaṣeun Amara Kofi Ifeoma Babátúndé Nana Yewande Obinna Efua Sadé | Adéyẹmí Okonkwo Mensah Ọláníyan Nwosu Boateng Akíntọ́lá Eze Asante Balogun Chukwu Owusu Fáshọlá Igwe Amoah Ọ̀ṣúnlàjà
Wanjiku Thandiwe Tendai Makena Sipho Chipo Juma Nomvula Baraka Lerato Kiprono Zanele Farai Asha Themba Naledi | Mwangi Dlamini Chikwanha Kamau Mokoena Nyathi Otieno Khumalo Wekesa Ndlovu Moyo Achieng Mahlangu Kipchoge Sithole Mutasa
Aarav Priyanka Devika Rohan Meenakshi Vikram Lakshmi Arjun Sunita Harpreet Kavya Imran Nandini Suresh Farida Tejas | Iyer Chattopadhyay Deshmukh Gill Raghunathan Siddiqui Banerjee Menon Kulkarni Ahluwalia Patnaik Venkataraman Joshi Qureshi Bhattacharya Reddy
Анна/anna Дмитро/dmytro Ольга/olha Сергей/sergey Наталія/nataliia Йорданка/yordanka Юрий/yuriy Людмила/lyudmila Богдан/bohdan Алёна/alyona Стоян/stoyan Љиљана/ljiljana | Иванова/ivanova Шевчук/shevchuk Щербаков/shcherbakov Кравець/kravets Петров/petrov Ђорђевић/djordjevic Тимошенко/tymoshenko Цветков/tsvetkov Жуковский/zhukovsky Їжак/yizhak Савић/savic Бойко/boiko
Ελένη/eleni Νίκος/nikos Καλλιόπη/kalliopi Σπύρος/spyros Δέσποινα/despina Χρήστος/christos Ζωή/zoi Άγγελος/angelos | Παπαδάκη/papadaki Γεωργίου/georgiou Ψαρρός/psarros Κωνσταντίνου/konstantinou Ξένος/xenos Μαυρίδης/mavridis Θεοδώρου/theodorou Οικονόμου/oikonomou
芳菲/fangfei 明远/mingyuan 静怡/jingyi 洋/yang 磊/lei 丽华/lihua 涛/tao 敏/min 伟/wei 雪/xue | 王/wang 李/li 陈/chen 刘/liu 赵/zhao 黄/huang 吴/wu 徐/xu 孙/sun 高/gao
さくら/sakura 健太/kenta 美咲/misaki 翔/sho 陽子/yoko 大輔/daisuke 千尋/chihiro 蓮/ren 舞/mai 拓海/takumi | 佐藤/sato 鈴木/suzuki 髙橋/takahashi 渡邊/watanabe 伊藤/ito 山本/yamamoto 中村/nakamura 小林/kobayashi 加藤/kato 吉田/yoshida
민준/minjun 서연/seoyeon 지호/jiho 하은/haeun 도윤/doyun 수아/sua 예준/yejun 지민/jimin | 김/kim 이/yi 박/park 최/choi 정/jeong 강/kang 조/cho 윤/yoon
ليلى/layla يوسف/yousef فاطمة/fatima خالد/khaled مريم/maryam طارق/tariq زينب/zaynab سامي/sami | حداد/haddad النجار/alnajjar منصور/mansour الخطيب/alkhatib درويش/darwish قاسم/qasim شاهين/shaheen الأحمد/alahmad
נועה/noa איתן/eitan תמר/tamar אורי/uri שירה/shira יונתן/yonatan | לוי/levi כהן/cohen מזרחי/mizrahi פרידמן/friedman ביטון/biton אברהמי/avrahami
आरती/aarti मोहन/mohan सीता/sita राजेश/rajesh गीता/gita अनिल/anil | शर्मा/sharma वर्मा/varma त्रिपाठी/tripathi मिश्रा/mishra चौहान/chauhan यादव/yadav
สมชาย/somchai มาลี/malee อรุณ/arun พิมพ์ใจ/pimjai ธนา/thana วิภา/wipha | สุขสวัสดิ์/suksawat ใจดี/jaidee ทองคำ/thongkham ศรีสุข/srisuk บุญมี/boonmee แสงทอง/saengthong
"""
DOMAINS = ["example.com"] * 12 + ["emea.example.com"] * 4 + ["apac.example.com"] * 3 + ["example.org", "example.net", "care.example"]
DEPARTMENTS = ["Customer Care", "Technical Support", "Billing", "Claims", "Retention", "Sales, Inbound", "Sales, Outbound",
               "Workforce Planning", "Quality", "Training", "Back Office", "Complaints & Redress", "Operations"]
TITLES = ["Agent", "Agent", "Agent", "Senior Agent", "Team Lead", "Supervisor", "Quality Analyst", "Trainer", "Planner",
          "Case Handler", "Agent (part-time)", "Account Executive", "Knowledge Editor", "Night Shift Lead"]
OFFICES = ["Lisbon", "Kraków", "Manila", "Cork", "Hyderabad", "Nairobi", "São Paulo, Paulista", "Berlin, Mitte", "Göteborg",
           "東京", "Montréal", "Remote", "Remote", "Auckland", "Bogotá", "Αθήνα"]
LATIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "ı": "i", "þ": "th", "ð": "d"})


@dataclass
class Person:
    first: str
    last: str
    address: str
    employee_id: str
    department: str
    title: str
    office: str
    start: str
    personal: str


def latin(word):
    """`Łukasz` → `lukasz`, `Анна/anna` → `anna`: what an IT department makes of a name."""
    word = word.split("/")[-1].lower().translate(LATIN)
    return "".join(c for c in unicodedata.normalize("NFKD", word) if c.isascii() and c.isalnum())


def combinations():
    for line in NAMES.strip().splitlines():
        firsts, lasts = (half.split() for half in line.split("|"))
        yield from ((first, last) for first in firsts for last in lasts)


def people():
    """Invented people, each with a name and an address that nobody else in these files has."""
    taken = set()
    for first, last in shuffled(list(combinations())):
        local = f"{latin(first)}.{latin(last)}"
        if local in taken:
            continue
        taken.add(local)
        yield Person(first.split("/")[0].replace("_", " "), last.split("/")[0].replace("_", " "), f"{local}@{pick(DOMAINS)}",
                     f"{3117 + 7 * len(taken):06}", pick(DEPARTMENTS), pick(TITLES), pick(OFFICES),
                     f"{2008 + int(RNG.random() * 18)}-{1 + int(RNG.random() * 12):02}-{1 + int(RNG.random() * 28):02}",
                     f"{local.replace('.', '')}{10 + int(RNG.random() * 90)}@mail.example" if chance(0.7) else "")


PEOPLE = people()


def named(first, last, address):
    """A person with a name and an address of our choice."""
    person = next(PEOPLE)
    person.first, person.last, person.address, person.personal = first, last, address, ""
    return person
