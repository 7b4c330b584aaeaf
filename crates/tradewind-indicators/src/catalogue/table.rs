//! The rows of the catalogue: the type, its name, family and title, the unit, the reference, the
//! parameters (name, default, least value, largest value) and how they become a constructor's arguments.
//!
//! A new indicator is a file in its family's folder and a row here; the tests then name what else it needs.

/// Hands all rows to a macro.
macro_rules! rows {
    ($make:ident) => {
        $make! {
            Sma "sma" "averages" "The mean of the last values" Price Reference::TaLib("SMA"),
                [whole("period", 20, 1)], |p| crate::Sma::new(count(p[0]));
            Ema "ema" "averages" "An average in which older values fade" Price Reference::TaLib("EMA"),
                [whole("period", 20, 1)], |p| crate::Ema::new(count(p[0]));
            Rma "rma" "averages" "Wilder's moving average" Price Reference::TaLib("RMA"),
                [whole("period", 14, 1)], |p| crate::Rma::new(count(p[0]));
            Wma "wma" "averages" "An average with falling weights" Price Reference::TaLib("WMA"),
                [whole("period", 20, 1)], |p| crate::Wma::new(count(p[0]));
            Dema "dema" "averages" "A double exponential average" Price Reference::TaLib("DEMA"),
                [whole("period", 20, 1)], |p| crate::Dema::new(count(p[0]));
            Tema "tema" "averages" "A triple exponential average" Price Reference::TaLib("TEMA"),
                [whole("period", 20, 1)], |p| crate::Tema::new(count(p[0]));
            Trima "trima" "averages" "An average of an average" Price Reference::TaLib("TRIMA"),
                [whole("period", 20, 1)], |p| crate::Trima::new(count(p[0]));
            Kama "kama" "averages" "Kaufman's adaptive average" Price Reference::TaLib("KAMA"),
                [whole("period", 30, 2)], |p| crate::Kama::new(count(p[0]));
            T3 "t3" "averages" "Tillson's T3" Price Reference::TaLib("T3"),
                [whole("period", 5, 1), decimal("factor", 0.7, 0.0, 1.0)], |p| crate::T3::new(count(p[0]), p[1]);
            Hma "hma" "averages" "Hull's moving average" Price Reference::TaLib("HMA"),
                [whole("period", 20, 2)], |p| crate::Hma::new(count(p[0]));
            Vwma "vwma" "averages" "The mean of closes by volume" Price Reference::TaLib("VWMA"),
                [whole("period", 20, 1)], |p| crate::Vwma::new(count(p[0]));
            Zlema "zlema" "averages" "An exponential average with less lag" Price Reference::TaLib("ZLEMA"),
                [whole("period", 20, 1)], |p| crate::Zlema::new(count(p[0]));
            Alma "alma" "averages" "The Arnaud Legoux moving average" Price Reference::Cited("Legoux and Kouzis-Loukas, 2009"),
                [whole("period", 9, 1), decimal("offset", 0.85, 0.0, 1.0), decimal("sigma", 6.0, 0.1, 100.0)],
                |p| crate::Alma::new(crate::AlmaParameters { period: count(p[0]), offset: p[1], sigma: p[2] });

            Rsi "rsi" "oscillators" "The relative strength index" Number Reference::TaLib("RSI"),
                [whole("period", 14, 1)], |p| crate::Rsi::new(count(p[0]));
            Macd "macd" "oscillators" "The distance of two averages and its signal" Price Reference::TaLib("MACD"),
                [whole("fast", 12, 1), whole("slow", 26, 1), whole("signal", 9, 1)],
                |p| crate::Macd::new(crate::MacdPeriods { fast: count(p[0]), slow: count(p[1]), signal: count(p[2]) });
            Stochastic "stoch" "oscillators" "The slow stochastic oscillator" Number Reference::TaLib("STOCH"),
                [whole("range", 5, 1), whole("k", 3, 1), whole("d", 3, 1)],
                |p| crate::Stochastic::new(crate::StochasticParameters { range: count(p[0]), k: count(p[1]), d: count(p[2]) });
            StochasticFast "stochf" "oscillators" "The fast stochastic oscillator" Number Reference::TaLib("STOCHF"),
                [whole("range", 5, 1), whole("d", 3, 1)],
                |p| crate::StochasticFast::new(crate::StochasticFastParameters { range: count(p[0]), d: count(p[1]) });
            StochRsi "stochrsi" "oscillators" "The stochastic oscillator of the RSI" Number Reference::TaLib("STOCHRSI"),
                [whole("rsi", 14, 1), whole("range", 5, 1), whole("d", 3, 1)],
                |p| crate::StochRsi::new(crate::StochRsiParameters { rsi: count(p[0]), range: count(p[1]), d: count(p[2]) });
            Cci "cci" "oscillators" "The commodity channel index" Number Reference::TaLib("CCI"),
                [whole("period", 14, 2)], |p| crate::Cci::new(count(p[0]));
            WilliamsR "willr" "oscillators" "Williams' %R" Number Reference::TaLib("WILLR"),
                [whole("period", 14, 1)], |p| crate::WilliamsR::new(count(p[0]));
            Mfi "mfi" "oscillators" "The money flow index" Number Reference::TaLib("MFI"),
                [whole("period", 14, 1)], |p| crate::Mfi::new(count(p[0]));
            Cmo "cmo" "oscillators" "Chande's momentum oscillator" Number Reference::TaLib("CMO"),
                [whole("period", 14, 1)], |p| crate::Cmo::new(count(p[0]));
            Mom "mom" "oscillators" "Momentum" Price Reference::TaLib("MOM"),
                [whole("period", 10, 1)], |p| crate::Mom::new(count(p[0]));
            Roc "roc" "oscillators" "The rate of change in percent" Number Reference::TaLib("ROC"),
                [whole("period", 10, 1)], |p| crate::Roc::new(count(p[0]));
            Rocp "rocp" "oscillators" "The rate of change as a share" Number Reference::TaLib("ROCP"),
                [whole("period", 10, 1)], |p| crate::Rocp::new(count(p[0]));
            Rocr "rocr" "oscillators" "The rate of change as a ratio" Number Reference::TaLib("ROCR"),
                [whole("period", 10, 1)], |p| crate::Rocr::new(count(p[0]));
            Apo "apo" "oscillators" "The distance of two averages" Price Reference::TaLib("APO"),
                [whole("fast", 12, 1), whole("slow", 26, 1)],
                |p| crate::Apo::new(crate::ApoParameters { fast: count(p[0]), slow: count(p[1]) });
            Ppo "ppo" "oscillators" "The distance of two averages in percent" Number Reference::TaLib("PPO"),
                [whole("fast", 12, 1), whole("slow", 26, 1)],
                |p| crate::Ppo::new(crate::PpoParameters { fast: count(p[0]), slow: count(p[1]) });
            Trix "trix" "oscillators" "The rate of change of a triple average" Number Reference::TaLib("TRIX"),
                [whole("period", 15, 1)], |p| crate::Trix::new(count(p[0]));
            Ultosc "ultosc" "oscillators" "The ultimate oscillator" Number Reference::TaLib("ULTOSC"),
                [whole("first", 7, 1), whole("second", 14, 1), whole("third", 28, 1)],
                |p| crate::Ultosc::new(crate::UltoscParameters { first: count(p[0]), second: count(p[1]), third: count(p[2]) });
            Aroon "aroon" "oscillators" "How recent the extremes are" Number Reference::TaLib("AROON, AROONOSC"),
                [whole("period", 14, 2)], |p| crate::Aroon::new(count(p[0]));
            Bop "bop" "oscillators" "The balance of power" Number Reference::TaLib("BOP"),
                [], |_| Ok(crate::Bop::new());
            Dpo "dpo" "oscillators" "The detrended price oscillator" Price Reference::TaLib("DPO"),
                [whole("period", 20, 1)], |p| crate::Dpo::new(count(p[0]));
            Fisher "fisher" "oscillators" "The Fisher transform" Number Reference::Cited("Ehlers, Stocks & Commodities 20:11, 2002"),
                [whole("period", 10, 2)], |p| crate::Fisher::new(count(p[0]));
            Tsi "tsi" "oscillators" "The true strength index" Number Reference::TaLib("TSI"),
                [whole("first", 25, 1), whole("second", 13, 1)],
                |p| crate::Tsi::new(crate::TsiParameters { first: count(p[0]), second: count(p[1]) });
            Awesome "ao" "oscillators" "The awesome oscillator" Price Reference::TaLib("AO"),
                [whole("fast", 5, 1), whole("slow", 34, 1)],
                |p| crate::Awesome::new(crate::AwesomeParameters { fast: count(p[0]), slow: count(p[1]) });
            ConnorsRsi "crsi" "oscillators" "Connors' RSI" Number Reference::Cited("Connors, An Introduction to ConnorsRSI, 2012"),
                [whole("rsi", 3, 1), whole("streak", 2, 1), whole("rank", 100, 1)],
                |p| crate::ConnorsRsi::new(crate::ConnorsRsiParameters { rsi: count(p[0]), streak: count(p[1]), rank: count(p[2]) });
            Coppock "coppock" "oscillators" "The Coppock curve" Number Reference::TaLib("COPPOCK"),
                [whole("period", 10, 1), whole("short", 11, 1), whole("long", 14, 1)],
                |p| crate::Coppock::new(crate::CoppockParameters { period: count(p[0]), short: count(p[1]), long: count(p[2]) });

            Dm "dm" "trend" "Directional movement" Price Reference::TaLib("PLUS_DM, MINUS_DM"),
                [whole("period", 14, 2)], |p| crate::Dm::new(count(p[0]));
            Dmi "dmi" "trend" "The directional indicators and their index" Number Reference::TaLib("PLUS_DI, MINUS_DI, DX"),
                [whole("period", 14, 2)], |p| crate::Dmi::new(count(p[0]));
            Adx "adx" "trend" "The average directional index" Number Reference::TaLib("ADX"),
                [whole("period", 14, 2)], |p| crate::Adx::new(count(p[0]));
            Adxr "adxr" "trend" "The rating of the directional index" Number Reference::TaLib("ADXR"),
                [whole("period", 14, 2)], |p| crate::Adxr::new(count(p[0]));
            Sar "sar" "trend" "The parabolic stop and reverse" Price Reference::TaLib("SAR"),
                [decimal("acceleration", 0.02, 0.0, 1.0), decimal("maximum", 0.2, 0.0, 1.0)],
                |p| crate::Sar::new(crate::SarParameters { acceleration: p[0], maximum: p[1] });
            Supertrend "supertrend" "trend" "A stop that follows the trend" Price Reference::TaLib("SUPERTREND"),
                [whole("period", 10, 1), decimal("multiplier", 3.0, 0.0, 1000.0)], |p| crate::Supertrend::new(count(p[0]), p[1]);
            Vortex "vortex" "trend" "The vortex indicator" Number Reference::TaLib("VORTEX"),
                [whole("period", 14, 1)], |p| crate::Vortex::new(count(p[0]));
            Ichimoku "ichimoku" "trend" "Ichimoku Kinko Hyo" Price Reference::Cited("Hosoda, 1969"),
                [whole("conversion", 9, 1), whole("base", 26, 1), whole("span", 52, 1), whole("displacement", 26, 1)],
                |p| crate::Ichimoku::new(crate::IchimokuParameters { conversion: count(p[0]), base: count(p[1]), span: count(p[2]), displacement: count(p[3]) });
            LinearRegression "linreg" "trend" "The straight line through the last values" Price Reference::TaLib("LINEARREG, LINEARREG_SLOPE, LINEARREG_INTERCEPT, LINEARREG_ANGLE, TSF"),
                [whole("period", 14, 2)], |p| crate::LinearRegression::new(count(p[0]));

            Atr "atr" "volatility" "The average true range" Price Reference::TaLib("ATR"),
                [whole("period", 14, 1)], |p| crate::Atr::new(count(p[0]));
            Natr "natr" "volatility" "The average true range in percent" Number Reference::TaLib("NATR"),
                [whole("period", 14, 1)], |p| crate::Natr::new(count(p[0]));
            Trange "trange" "volatility" "The true range" Price Reference::TaLib("TRANGE"),
                [], |_| Ok(crate::Trange::new());
            Bollinger "bbands" "volatility" "Bollinger bands" Price Reference::TaLib("BBANDS"),
                [whole("period", 20, 1), decimal("deviations", 2.0, 0.000001, 1000.0)],
                |p| crate::Bollinger::new(count(p[0]), p[1]);
            Donchian "donchian" "volatility" "The Donchian channel" Price Reference::TaLib("DONCHIAN"),
                [whole("period", 20, 1)], |p| crate::Donchian::new(count(p[0]));
            Keltner "keltner" "volatility" "Keltner channels" Price Reference::TaLib("KC"),
                [whole("period", 20, 1), whole("atr", 10, 1), decimal("multiplier", 2.0, 0.0, 1000.0)],
                |p| crate::Keltner::new(crate::KeltnerParameters { period: count(p[0]), atr: count(p[1]), multiplier: p[2] });
            StandardDeviation "stddev" "volatility" "The standard deviation" Price Reference::TaLib("STDDEV"),
                [whole("period", 20, 1)], |p| crate::StandardDeviation::new(count(p[0]));
            Variance "var" "volatility" "The variance" PriceSquared Reference::TaLib("VAR"),
                [whole("period", 20, 1)], |p| crate::Variance::new(count(p[0]));
            Avgdev "avgdev" "volatility" "The mean absolute deviation" Price Reference::TaLib("AVGDEV"),
                [whole("period", 14, 1)], |p| crate::Avgdev::new(count(p[0]));
            Chandelier "chandelier" "volatility" "The chandelier exit" Price Reference::Cited("Le Beau in Elder, Come into My Trading Room, 2002"),
                [whole("period", 22, 1), decimal("multiplier", 3.0, 0.0, 1000.0)], |p| crate::Chandelier::new(count(p[0]), p[1]);
            Choppiness "chop" "volatility" "The choppiness index" Number Reference::Cited("Dreiss, 1993"),
                [whole("period", 14, 2)], |p| crate::Choppiness::new(count(p[0]));
            MassIndex "mass" "volatility" "The mass index" Number Reference::TaLib("MASSI"),
                [whole("fast", 9, 1), whole("slow", 25, 1)],
                |p| crate::MassIndex::new(crate::MassIndexParameters { fast: count(p[0]), slow: count(p[1]) });
            Ulcer "ulcer" "volatility" "The ulcer index" Number Reference::Cited("Martin and McCann, 1989"),
                [whole("period", 14, 1)], |p| crate::Ulcer::new(count(p[0]));

            Obv "obv" "volume" "On-balance volume" Volume Reference::TaLib("OBV"),
                [], |_| Ok(crate::Obv::new());
            Ad "ad" "volume" "The accumulation and distribution line" Volume Reference::TaLib("AD"),
                [], |_| Ok(crate::Ad::new());
            Adosc "adosc" "volume" "Chaikin's oscillator" Volume Reference::TaLib("ADOSC"),
                [whole("fast", 3, 2), whole("slow", 10, 2)],
                |p| crate::Adosc::new(crate::AdoscParameters { fast: count(p[0]), slow: count(p[1]) });
            Cmf "cmf" "volume" "Chaikin's money flow" Number Reference::TaLib("CMF"),
                [whole("period", 20, 1)], |p| crate::Cmf::new(count(p[0]));
            Vwap "vwap" "volume" "The average price of a session by volume" Price Reference::TaLib("VWAP"),
                [], |_| Ok(crate::Vwap::new());
            RollingVwap "rolling_vwap" "volume" "The average price of the last candles by volume" Price Reference::Cited("the definition of VWAP over a window, as in qtpylib"),
                [whole("period", 20, 1)], |p| crate::RollingVwap::new(count(p[0]));
            Efi "efi" "volume" "Elder's force index" Money Reference::TaLib("EFI"),
                [whole("period", 13, 1)], |p| crate::Efi::new(count(p[0]));
            Pvt "pvt" "volume" "The price and volume trend" Volume Reference::TaLib("PVT"),
                [], |_| Ok(crate::Pvt::new());
            Nvi "nvi" "volume" "The negative volume index" Number Reference::TaLib("NVI"),
                [], |_| Ok(crate::Nvi::new());
            Pvi "pvi" "volume" "The positive volume index" Number Reference::TaLib("PVI"),
                [], |_| Ok(crate::Pvi::new());
            Rvol "rvol" "volume" "The relative volume" Number Reference::TaLib("RVOL"),
                [whole("period", 20, 1)], |p| crate::Rvol::new(count(p[0]));

            Highest "highest" "statistics" "The highest of the last values" Price Reference::TaLib("MAX"),
                [whole("period", 20, 1)], |p| crate::Highest::new(count(p[0]));
            Lowest "lowest" "statistics" "The lowest of the last values" Price Reference::TaLib("MIN"),
                [whole("period", 20, 1)], |p| crate::Lowest::new(count(p[0]));
            Total "sum" "statistics" "The sum of the last values" Price Reference::TaLib("SUM"),
                [whole("period", 20, 1)], |p| crate::Total::new(count(p[0]));
            Midpoint "midpoint" "statistics" "The middle of the last values" Price Reference::TaLib("MIDPOINT"),
                [whole("period", 14, 1)], |p| crate::Midpoint::new(count(p[0]));
            Midprice "midprice" "statistics" "The middle of the last range" Price Reference::TaLib("MIDPRICE"),
                [whole("period", 14, 1)], |p| crate::Midprice::new(count(p[0]));
            Median "median" "statistics" "The median" Price Reference::Cited("the textbook's, as in pandas"),
                [whole("period", 20, 1)], |p| crate::Median::new(count(p[0]));
            Percentile "percentile" "statistics" "The percentile" Price Reference::TaLib("PERCENTILE"),
                [whole("period", 30, 1), decimal("percent", 50.0, 0.0, 100.0)], |p| crate::Percentile::new(count(p[0]), p[1]);
            PercentileRank "percentrank" "statistics" "The percentile rank" Number Reference::TaLib("PERCENTRANK"),
                [whole("period", 100, 1)], |p| crate::PercentileRank::new(count(p[0]));
            Zscore "zscore" "statistics" "The distance from the mean in deviations" Number Reference::TaLib("SMA and STDDEV, combined"),
                [whole("period", 20, 1)], |p| crate::Zscore::new(count(p[0]));
            EfficiencyRatio "er" "statistics" "Kaufman's efficiency ratio" Number Reference::TaLib("ER"),
                [whole("period", 10, 1)], |p| crate::EfficiencyRatio::new(count(p[0]));
            Correlation "correl" "statistics" "The correlation of two series" Number Reference::TaLib("CORREL"),
                [whole("period", 30, 1)], |p| crate::Correlation::new(count(p[0]));
            Beta "beta" "statistics" "The beta of one series to another" Number Reference::TaLib("BETA"),
                [whole("period", 5, 1)], |p| crate::Beta::new(count(p[0]));

            TypicalPrice "typprice" "prices" "The mean of high, low and close" Price Reference::TaLib("TYPPRICE"),
                [], |_| Ok(crate::TypicalPrice::new());
            MedianPrice "medprice" "prices" "The mean of high and low" Price Reference::TaLib("MEDPRICE"),
                [], |_| Ok(crate::MedianPrice::new());
            WeightedClose "wclprice" "prices" "The mean of high, low and twice the close" Price Reference::TaLib("WCLPRICE"),
                [], |_| Ok(crate::WeightedClose::new());
            AveragePrice "avgprice" "prices" "The mean of the four prices" Price Reference::TaLib("AVGPRICE"),
                [], |_| Ok(crate::AveragePrice::new());
            HeikinAshi "ha" "prices" "Heikin-Ashi candles" Price Reference::TaLib("HA"),
                [], |_| Ok(crate::HeikinAshi::new());
            Pivots "pivots" "prices" "Pivot points" Price Reference::Cited("the floor traders' formula in Person, 2004"),
                [], |_| Ok(crate::Pivots::new());

            Doji "doji" "patterns" "The doji" Number Reference::TaLib("CDLDOJI"),
                [], |_| Ok(crate::Doji::new());
            DragonflyDoji "dragonfly_doji" "patterns" "The dragonfly doji" Number Reference::TaLib("CDLDRAGONFLYDOJI"),
                [], |_| Ok(crate::DragonflyDoji::new());
            GravestoneDoji "gravestone_doji" "patterns" "The gravestone doji" Number Reference::TaLib("CDLGRAVESTONEDOJI"),
                [], |_| Ok(crate::GravestoneDoji::new());
            SpinningTop "spinning_top" "patterns" "The spinning top" Number Reference::TaLib("CDLSPINNINGTOP"),
                [], |_| Ok(crate::SpinningTop::new());
            Marubozu "marubozu" "patterns" "The marubozu" Number Reference::TaLib("CDLMARUBOZU"),
                [], |_| Ok(crate::Marubozu::new());
            Hammer "hammer" "patterns" "The hammer" Number Reference::TaLib("CDLHAMMER"),
                [], |_| Ok(crate::Hammer::new());
            HangingMan "hanging_man" "patterns" "The hanging man" Number Reference::TaLib("CDLHANGINGMAN"),
                [], |_| Ok(crate::HangingMan::new());
            InvertedHammer "inverted_hammer" "patterns" "The inverted hammer" Number Reference::TaLib("CDLINVERTEDHAMMER"),
                [], |_| Ok(crate::InvertedHammer::new());
            ShootingStar "shooting_star" "patterns" "The shooting star" Number Reference::TaLib("CDLSHOOTINGSTAR"),
                [], |_| Ok(crate::ShootingStar::new());
            Engulfing "engulfing" "patterns" "Engulfing" Number Reference::TaLib("CDLENGULFING"),
                [], |_| Ok(crate::Engulfing::new());
            Harami "harami" "patterns" "The harami" Number Reference::TaLib("CDLHARAMI"),
                [], |_| Ok(crate::Harami::new());
            Piercing "piercing" "patterns" "The piercing line" Number Reference::TaLib("CDLPIERCING"),
                [], |_| Ok(crate::Piercing::new());
            DarkCloudCover "dark_cloud_cover" "patterns" "The dark cloud cover" Number Reference::TaLib("CDLDARKCLOUDCOVER"),
                [], |_| Ok(crate::DarkCloudCover::new());
            MorningStar "morning_star" "patterns" "The morning star" Number Reference::TaLib("CDLMORNINGSTAR"),
                [], |_| Ok(crate::MorningStar::new());
            EveningStar "evening_star" "patterns" "The evening star" Number Reference::TaLib("CDLEVENINGSTAR"),
                [], |_| Ok(crate::EveningStar::new());
            MorningDojiStar "morning_doji_star" "patterns" "The morning doji star" Number Reference::TaLib("CDLMORNINGDOJISTAR"),
                [], |_| Ok(crate::MorningDojiStar::new());
            EveningDojiStar "evening_doji_star" "patterns" "The evening doji star" Number Reference::TaLib("CDLEVENINGDOJISTAR"),
                [], |_| Ok(crate::EveningDojiStar::new());
            ThreeInside "three_inside" "patterns" "Three inside up or down" Number Reference::TaLib("CDL3INSIDE"),
                [], |_| Ok(crate::ThreeInside::new());
            ThreeOutside "three_outside" "patterns" "Three outside up or down" Number Reference::TaLib("CDL3OUTSIDE"),
                [], |_| Ok(crate::ThreeOutside::new());
            ThreeWhiteSoldiers "three_white_soldiers" "patterns" "Three white soldiers" Number Reference::TaLib("CDL3WHITESOLDIERS"),
                [], |_| Ok(crate::ThreeWhiteSoldiers::new());
            ThreeBlackCrows "three_black_crows" "patterns" "Three black crows" Number Reference::TaLib("CDL3BLACKCROWS"),
                [], |_| Ok(crate::ThreeBlackCrows::new());
        }
    };
}
pub(crate) use rows;
